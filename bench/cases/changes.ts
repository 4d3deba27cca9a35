import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { openEtcdStore, etcdOptions } from '@apisix-ts/store-etcd';
import { openAdminClient } from '../apply/admin-client.ts';
import { embedded, etcd } from '../apply/store-kinds.ts';
import { etcdVersion } from '../machine.ts';
import { cpuMs } from '../measure/cpu.ts';
import { spread } from '../measure/statistics.ts';
import { freePorts } from '../programs/free-ports.ts';
import { endProgram } from '../programs/workbench.ts';
import type { Workbench } from '../programs/workbench.ts';
import { startGateway } from '../proxies/gateway-program.ts';
import type { GatewayProgram } from '../proxies/gateway-program.ts';
import { showSpread } from '../report.ts';
import { strangers } from '../routes/route-mix.ts';
import { upstreamOf } from '../routes/write-routes.ts';
import type { RouteDocument } from '../routes/write-routes.ts';
import type { Case } from './case.ts';

const WORKERS = 2;
const CHANGES_PER_SECOND = 50;
/** Back to back and not counted: the first changes meet code that is not compiled yet. */
const WARM_UPS = 3000;

/** A gateway whose routes can be changed. */
interface Scene {
  readonly gateway: GatewayProgram;
  readonly put: (route: RouteDocument) => Promise<void>;
  /** The gateway stays. */
  readonly close: () => Promise<void>;
}

/** A way for changes to get to a gateway. */
interface Way {
  readonly name: string;
  /** Of routes around them. */
  readonly counts: readonly number[];
  /** @param home an absolute path of its own. */
  readonly open: (workbench: Workbench, home: string, routes: number) => Promise<Scene>;
}

const adminApi: Way = {
  name: 'Admin API, embedded store',
  counts: [1, 5000, 100_000],
  async open(workbench, home, routes) {
    const [port = 0, adminPort = 0] = await freePorts(2);
    await embedded.fill(workbench, home, strangers(routes, port, upstreamOf([1])));
    const ports = [port];
    const gateway = await startGateway(workbench, {
      home,
      ports,
      workers: WORKERS,
      relay: 'auto',
      adminPort,
    });
    const admin = openAdminClient(adminPort);
    return {
      gateway,
      put: ({ id, ...route }) => admin.put(`stream_routes/${id}`, route),
      close: async () => admin.close(),
    };
  },
};

const fromEtcd: Way = {
  name: 'from etcd',
  counts: [5000],
  async open(workbench, home, routes) {
    const [port = 0] = await freePorts(1);
    const endpoint = await etcd.fill(workbench, home, strangers(routes, port, upstreamOf([1])));
    if (endpoint === undefined) throw new TypeError('etcd has an endpoint');
    const ports = [port];
    const gateway = await startGateway(workbench, {
      home,
      ports,
      workers: WORKERS,
      relay: 'auto',
      etcd: endpoint,
    });
    const store = openEtcdStore(etcdOptions({ host: [endpoint] }));
    const { writer } = store;
    if (writer === undefined) throw new TypeError('etcd can be written');
    return {
      gateway,
      put: async (route) => void (await writer.put(`stream_routes/${route.id}`, JSON.stringify(route))),
      close: () => store.close(),
    };
  },
};

/** What a stream of changes costs, by where they come from and by the number of routes around them. */
export const changesCase: Case = async (workbench, isQuick) => {
  const rounds = isQuick ? 2 : 5;
  const seconds = isQuick ? 2 : 6;
  const rows: string[][] = [];
  for (const way of etcdVersion === undefined ? [adminApi] : [adminApi, fromEtcd]) {
    for (const routes of way.counts) {
      const cost = spread(await measure(workbench, way, routes, rounds, seconds));
      // Milliseconds a second are tenths of a percent.
      const share = (cost.median * CHANGES_PER_SECOND) / 10;
      rows.push([way.name, String(routes), showSpread(cost), `${share.toFixed(1)} %`]);
    }
  }
  return [
    {
      title: 'CPU of changes',
      notes: [
        `${CHANGES_PER_SECOND} changes a second, each of another route, which gets another port and node: CPU of the whole process, with ${WORKERS} workers, less what it uses when nothing happens. ${rounds} rounds of ${seconds} s, after ${WARM_UPS} changes and a round that are not counted; milliseconds of CPU a change.`,
        ...(etcdVersion === undefined ? ['etcd is left out: it needs `apt-get install etcd-server`.'] : []),
      ],
      tables: [
        {
          columns: [
            'changes',
            'routes',
            'CPU ms a change',
            `of a core at ${CHANGES_PER_SECOND} changes/s, median`,
          ],
          rows,
        },
      ],
    },
  ];
};

/** @returns milliseconds of CPU a change, by round. */
async function measure(
  workbench: Workbench,
  way: Way,
  routes: number,
  rounds: number,
  seconds: number,
): Promise<number[]> {
  const home = join(workbench.folder, `changes-${way.name.replaceAll(/\W+/g, '-')}-${routes}`);
  const scene = await way.open(workbench, home, routes);
  const { pid, child } = scene.gateway;
  const samples: number[] = [];
  try {
    for (let index = 0; index < WARM_UPS; index++) await change(scene, index, routes);
    const idleFrom = cpuMs(pid);
    await pause(seconds * 1000);
    const idleMs = cpuMs(pid) - idleFrom;
    for (let round = 0; round <= rounds; round++) {
      const from = cpuMs(pid);
      const changes = await changePaced(scene, routes, round, seconds);
      const usedMs = cpuMs(pid) - from - idleMs;
      if (round > 0) samples.push(usedMs / changes);
    }
  } finally {
    await scene.close();
    await endProgram(child);
  }
  return samples;
}

/** Changes routes at the pace, for that long. @returns how many. */
async function changePaced(scene: Scene, routes: number, round: number, seconds: number): Promise<number> {
  const count = CHANGES_PER_SECOND * seconds;
  const startMs = performance.now();
  for (let index = 0; index < count; index++) {
    const nextMs = startMs + (index * 1000) / CHANGES_PER_SECOND;
    await pause(Math.max(0, nextMs - performance.now()));
    await change(scene, round * count + index, routes);
  }
  return count;
}

/** Each time another route, spread over all there are, and another port and node. */
async function change(scene: Scene, index: number, routes: number): Promise<void> {
  const port = 1 + (index % 60_000);
  await scene.put({
    id: `stranger-${(index * 7919) % routes}`,
    server_port: port,
    remote_addr: `10.9.${(index >> 8) & 255}.${index & 255}`,
    upstream: upstreamOf([port]),
  });
}
