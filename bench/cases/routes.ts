import { join } from 'node:path';
import { openEmbeddedStore } from '@apisix-ts/store-embedded';
import { measureStreamRouter } from '../core/router/stream-router.bench.ts';
import { whyNoLoad, startLoad } from '../load/load-generator.ts';
import type { LoadGenerator } from '../load/load-generator.ts';
import { cpuMs, residentMb } from '../measure/cpu.ts';
import { spread } from '../measure/statistics.ts';
import { freePorts } from '../programs/free-ports.ts';
import type { Workbench } from '../programs/workbench.ts';
import { embeddedStorePath, startGateway } from '../proxies/gateway-program.ts';
import { show, showSpread } from '../report.ts';
import type { Section } from '../report.ts';
import { matching, strangers } from '../routes/route-mix.ts';
import { upstreamOf, writeRoutes } from '../routes/write-routes.ts';
import { loadCpu, proxyCpu } from './case.ts';
import type { Case } from './case.ts';

const counts = [1, 1000, 100_000];

/** A gateway that holds so many routes, and what was measured of it. */
interface Candidate {
  readonly routes: number;
  readonly port: number;
  readonly pid: number;
  readonly readyMs: number;
  readonly memoryMb: number;
  readonly setUpUs: number[];
  readonly slowSetUpUs: number[];
  readonly cpuUs: number[];
  readonly rate: number[];
}

/** A session with 100 000 routes beside its own must cost what it costs with none. */
export const routesCase: Case = async (workbench, isQuick) => [
  await measureSessions(workbench, isQuick),
  measureRouter(isQuick),
];

async function measureSessions(workbench: Workbench, isQuick: boolean): Promise<Section> {
  const title = 'Connection set-up by number of stream routes';
  const obstacle = whyNoLoad();
  if (obstacle !== undefined) return { title, notes: [obstacle], tables: [] };
  const rounds = isQuick ? 3 : 9;
  const ms = isQuick ? 500 : 1200;
  const load = await startLoad(workbench, loadCpu);
  const candidates: Candidate[] = [];
  for (const routes of counts) candidates.push(await prepare(workbench, load, routes));

  for (let round = 0; round <= rounds; round++) {
    for (const candidate of candidates) await takeSample(load, candidate, ms, round > 0);
  }
  return {
    title,
    notes: [
      `From connecting to the first byte back, one connection at a time, and CPU with 64 at a time; median (lowest–highest) of ${rounds} interleaved rounds. One route matches, on port, server and client address; the others have all combinations of conditions and an upstream of one node each. Start and memory are of the whole process, with the embedded store, one worker and everything on one core.`,
    ],
    tables: [
      {
        columns: [
          'routes',
          'set-up µs, median',
          'p99',
          'connections/s',
          'CPU µs each',
          'start, s',
          'memory, MB',
        ],
        rows: candidates.map((candidate) => [
          show(candidate.routes),
          showSpread(spread(candidate.setUpUs)),
          showSpread(spread(candidate.slowSetUpUs)),
          showSpread(spread(candidate.rate)),
          showSpread(spread(candidate.cpuUs)),
          (candidate.readyMs / 1000).toFixed(2),
          show(candidate.memoryMb),
        ]),
      },
    ],
  };
}

async function prepare(workbench: Workbench, load: LoadGenerator, routes: number): Promise<Candidate> {
  const [port = 0] = await freePorts(1);
  const home = join(workbench.folder, `routes-${routes}`);
  const store = await openEmbeddedStore({ path: embeddedStorePath(home) });
  await writeRoutes(store.writer, [
    ...strangers(routes - 1, port, upstreamOf([load.backends.sink])),
    { id: 'match', server_port: port, ...matching, upstream: upstreamOf(load.backends.echo) },
  ]);
  await store.close();
  const { pid, readyMs } = await startGateway(workbench, {
    home,
    ports: [port],
    workers: 1,
    relay: 'auto',
    cpu: proxyCpu,
  });
  const memoryMb = residentMb(pid);
  return { routes, port, pid, readyMs, memoryMb, setUpUs: [], slowSetUpUs: [], cpuUs: [], rate: [] };
}

async function takeSample(
  load: LoadGenerator,
  candidate: Candidate,
  ms: number,
  isCounted: boolean,
): Promise<void> {
  const { pid, port } = candidate;
  const alone = await load.run({ kind: 'connections', port, lanes: 1, bytes: 64, ms: ms / 2 });
  const beforeMs = cpuMs(pid);
  const many = await load.run({ kind: 'connections', port, lanes: 64, bytes: 64, ms });
  const usedMs = cpuMs(pid) - beforeMs;
  if (!isCounted) return;
  candidate.setUpUs.push(alone.p50Us);
  candidate.slowSetUpUs.push(alone.p99Us);
  candidate.cpuUs.push((usedMs * 1000) / many.operations);
  candidate.rate.push((many.operations / many.elapsedMs) * 1000);
}

function measureRouter(isQuick: boolean): Section {
  return {
    title: 'The router alone',
    notes: [
      '`bench/core/router/stream-router.bench.ts`: look-ups and changes in this process, medians of 15 rounds.',
    ],
    tables: [
      {
        columns: ['routes', 'ns per match', 'ns per changed route'],
        rows: measureStreamRouter(counts, isQuick ? 50_000 : 200_000).map((figures) => [
          show(figures.routes),
          show(figures.nsPerMatch),
          show(figures.nsPerChange),
        ]),
      },
    ],
  };
}
