import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { openAdminClient } from '../apply/admin-client.ts';
import type { AdminClient } from '../apply/admin-client.ts';
import { embedded } from '../apply/store-kinds.ts';
import { cpuMs } from '../measure/cpu.ts';
import { spread } from '../measure/statistics.ts';
import { freePorts } from '../programs/free-ports.ts';
import { endProgram } from '../programs/workbench.ts';
import type { Workbench } from '../programs/workbench.ts';
import { startGateway } from '../proxies/gateway-program.ts';
import { showSpread } from '../report.ts';
import { strangers } from '../routes/route-mix.ts';
import { upstreamOf } from '../routes/write-routes.ts';
import type { Case } from './case.ts';

const WORKERS = 2;
const counts = [1, 5000, 100_000];
const CHANGES_PER_SECOND = 50;

/** What a stream of changes costs, by the number of routes around them. */
export const changesCase: Case = async (workbench, isQuick) => {
  const rounds = isQuick ? 2 : 5;
  const seconds = isQuick ? 2 : 6;
  const rows: string[][] = [];
  for (const routes of counts) {
    const samples = await measure(workbench, routes, rounds, seconds);
    const cost = spread(samples);
    // Milliseconds a second are tenths of a percent.
    const share = (cost.median * CHANGES_PER_SECOND) / 10;
    rows.push([String(routes), showSpread(cost), `${share.toFixed(1)} %`]);
  }
  return [
    {
      title: 'CPU of changes',
      notes: [
        `${CHANGES_PER_SECOND} PUTs a second, each of another route, which gets another port and node: CPU of the whole process (Admin API, embedded store, main thread and ${WORKERS} workers), less what it uses when nothing happens. ${rounds} rounds of ${seconds} s after one that is not counted; milliseconds of CPU a change.`,
      ],
      tables: [
        {
          columns: ['routes', 'CPU ms a change', `of a core at ${CHANGES_PER_SECOND} changes/s, median`],
          rows,
        },
      ],
    },
  ];
};

/** @returns milliseconds of CPU a change, by round. */
async function measure(
  workbench: Workbench,
  routes: number,
  rounds: number,
  seconds: number,
): Promise<number[]> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const home = join(workbench.folder, `changes-${routes}`);
  await embedded.fill(workbench, home, strangers(routes, port, upstreamOf([1])));
  const ports = [port];
  const gateway = await startGateway(workbench, { home, ports, workers: WORKERS, relay: 'auto', adminPort });
  const admin = openAdminClient(adminPort);
  const samples: number[] = [];
  try {
    const idleFrom = cpuMs(gateway.pid);
    await pause(seconds * 1000);
    const idleMs = cpuMs(gateway.pid) - idleFrom;
    for (let round = 0; round <= rounds; round++) {
      const from = cpuMs(gateway.pid);
      const changes = await change(admin, routes, round, seconds);
      const usedMs = cpuMs(gateway.pid) - from - idleMs;
      if (round > 0) samples.push(usedMs / changes);
    }
  } finally {
    admin.close();
    await endProgram(gateway.child);
  }
  return samples;
}

/** Changes routes at the pace, for that long. @returns how many. */
async function change(admin: AdminClient, routes: number, round: number, seconds: number): Promise<number> {
  const count = CHANGES_PER_SECOND * seconds;
  const startMs = performance.now();
  for (let index = 0; index < count; index++) {
    const nextMs = startMs + (index * 1000) / CHANGES_PER_SECOND;
    await pause(Math.max(0, nextMs - performance.now()));
    // Spread over all there are, and different in each round.
    const id = (index * 7919) % routes;
    const nodePort = 1 + ((round * count + index) % 60_000);
    await admin.put(`stream_routes/stranger-${id}`, {
      server_port: nodePort,
      remote_addr: `10.9.${(index >> 8) & 255}.${index & 255}`,
      upstream: upstreamOf([nodePort]),
    });
  }
  return count;
}
