import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { openAdminClient } from '../apply/admin-client.ts';
import { openNamedServer, whenServedBy } from '../apply/probe.ts';
import { embedded, etcd } from '../apply/store-kinds.ts';
import type { StoreKind } from '../apply/store-kinds.ts';
import { etcdVersion } from '../machine.ts';
import { percentile } from '../measure/statistics.ts';
import { freePorts } from '../programs/free-ports.ts';
import { endProgram } from '../programs/workbench.ts';
import type { Workbench } from '../programs/workbench.ts';
import { startGateway } from '../proxies/gateway-program.ts';
import { strangers } from '../routes/route-mix.ts';
import { upstreamOf } from '../routes/write-routes.ts';
import type { Case } from './case.ts';

const WORKERS = 2;
const counts = [1, 10_000];
/** The first changes meet cold code, and are not counted. */
const WARM_UPS = 30;

interface Figures {
  /** From sending the PUT. Milliseconds. */
  readonly answered: number[];
  readonly effective: number[];
}

/** How long a change takes from the Admin API to the last worker. */
export const applyCase: Case = async (workbench, isQuick) => {
  const samples = isQuick ? 60 : 300;
  const stores = etcdVersion === undefined ? [embedded] : [embedded, etcd];
  const rows: string[][] = [];
  for (const store of stores) {
    for (const routes of counts) {
      const { answered, effective } = await measureChanges(workbench, store, routes, samples);
      rows.push([
        store.name,
        String(routes),
        ...[0.5, 0.99, 1].map((share) => percentile(effective, share).toFixed(1)),
        ...[0.5, 0.99].map((share) => percentile(answered, share).toFixed(1)),
      ]);
    }
  }
  return [
    {
      title: 'From Admin PUT to effective in all workers',
      notes: [
        `A route flips between two servers, ${samples} times; new connections are made all the while, and the change is in effect with the first after which none is served by the old server. ${WORKERS} workers, nothing pinned. Milliseconds from sending the PUT.`,
        ...(etcdVersion === undefined ? ['etcd is left out: it needs `apt-get install etcd-server`.'] : []),
      ],
      tables: [
        {
          columns: ['store', 'routes', 'effective, median', 'p99', 'slowest', 'PUT answered, median', 'p99'],
          rows,
        },
      ],
    },
  ];
};

async function measureChanges(
  workbench: Workbench,
  store: StoreKind,
  routes: number,
  samples: number,
): Promise<Figures> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const servers = [
    { name: 'A', port: await openNamedServer(workbench, 'A') },
    { name: 'B', port: await openNamedServer(workbench, 'B') },
  ];
  const home = join(workbench.folder, `apply-${store.name}-${routes}`);
  const etcdEndpoint = await store.fill(workbench, home, strangers(routes - 1, port, upstreamOf([1])));
  const gateway = await startGateway(workbench, {
    home,
    ports: [port],
    workers: WORKERS,
    relay: 'auto',
    adminPort,
    ...(etcdEndpoint === undefined ? {} : { etcd: etcdEndpoint }),
  });
  const admin = openAdminClient(adminPort);
  const figures: Figures = { answered: [], effective: [] };
  try {
    for (let change = 0; change < WARM_UPS + samples; change++) {
      const server = servers[change % 2];
      if (server === undefined) throw new TypeError('there are two');
      // Not in step with anything periodic.
      await pause(Math.random() * 5);
      const sentMs = performance.now();
      const [answeredMs, effectiveMs] = await Promise.all([
        admin
          .put('stream_routes/flip', { server_port: port, upstream: upstreamOf([server.port]) })
          .then(() => performance.now()),
        whenServedBy(server.name, port),
      ]);
      if (change < WARM_UPS) continue;
      figures.answered.push(answeredMs - sentMs);
      figures.effective.push(effectiveMs - sentMs);
    }
  } finally {
    admin.close();
    await endProgram(gateway.child);
  }
  return figures;
}
