import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { openEmbeddedStore } from '@apisix-ts/store-embedded';
import { startLoad, whyNoLoad } from '../load/load-generator.ts';
import type { LoadGenerator, LoadResult, Page } from '../load/load-generator.ts';
import { cpuMs } from '../measure/cpu.ts';
import { spread } from '../measure/statistics.ts';
import { freePorts } from '../programs/free-ports.ts';
import { pinSelf } from '../programs/pin-self.ts';
import { endProgram } from '../programs/workbench.ts';
import type { Workbench } from '../programs/workbench.ts';
import { embeddedStorePath, startGateway } from '../proxies/gateway-program.ts';
import { showSpread } from '../report.ts';
import { upstreamOf } from '../routes/write-routes.ts';
import { loadCpu, proxyCpu } from './case.ts';
import type { Case } from './case.ts';

/** Half of them are nodes under checks, half nodes that had a session. */
const SERIES = 10_000;
const NODES_PER_UPSTREAM = 100;
/** Connections that are made at a time, for the series of sessions. */
const AT_ONCE = 50;
const ROUND_MS = 2000;

interface Round {
  readonly load: LoadResult;
  /** Of the whole process. Milliseconds. */
  readonly cpuMs: number;
}

/** What a scrape of many series does to sessions. */
export const scrapeCase: Case = async (workbench, isQuick) => {
  const title = 'What a scrape costs';
  const obstacle = whyNoLoad();
  if (obstacle !== undefined) return [{ title, notes: [obstacle], tables: [] }];
  const rounds = isQuick ? 3 : 9;
  const load = await startLoad(workbench, loadCpu);
  const rows: string[][] = [];
  // Its sessions for the series must not take the gateway's core.
  workbench.onClose(pinSelf(loadCpu));
  for (const workers of [1, 0]) rows.push(...(await measure(workbench, load, workers, rounds)));
  return [
    {
      title,
      notes: [
        `${SERIES} series and more, read again as soon as they have come, while one connection sends 64 bytes and waits for their echo. ${rounds} rounds of 2 s each, in turns with as many without scrapes, after one of each that is not counted; the gateway on one core, the load program, which also reads, on the other. Median (lowest–highest) of the rounds; what scrapes add is the difference to the round without them that came just before.`,
      ],
      tables: [
        {
          columns: [
            'worker_processes',
            'scrapes',
            'round trip µs, median',
            'µs, p99',
            'µs, p99.9',
            'of 1000 over 1 ms',
            'ms a scrape',
            'CPU ms a scrape',
          ],
          rows,
        },
      ],
    },
  ];
};

async function measure(
  workbench: Workbench,
  load: LoadGenerator,
  workers: number,
  rounds: number,
): Promise<string[][]> {
  const [echoPort = 0, sessionsPort = 0, metricsPort = 0] = await freePorts(3);
  const serverPort = await openServer(workbench);
  const home = join(workbench.folder, `scrape-${workers}`);
  await fillStore(home, {
    [`stream_routes/echo`]: { server_port: echoPort, upstream: upstreamOf(load.backends.echo) },
    [`stream_routes/sessions`]: {
      server_port: sessionsPort,
      upstream: { type: 'roundrobin', nodes: nodesAt('127.1', SERIES / 2, serverPort) },
    },
    ...checkedRoutes(SERIES / 2),
  });
  const gateway = await startGateway(workbench, {
    home,
    ports: [echoPort, sessionsPort],
    workers,
    relay: 'auto',
    metricsPort,
    cpu: proxyCpu,
  });
  await connectTimes(SERIES / 2, sessionsPort);
  const page: Page = { port: metricsPort, path: '/apisix/prometheus/metrics' };
  const answer = await fetch(`http://127.0.0.1:${page.port}${page.path}`);
  const lines = (await answer.text()).split('\n').length;
  if (lines < SERIES) throw new Error(`expected ${SERIES} series, found ${lines} lines`);

  const quiet: Round[] = [];
  const busy: Round[] = [];
  for (let round = 0; round <= rounds; round++) {
    for (const [taken, scraped] of [
      [quiet, undefined],
      [busy, page],
    ] as const) {
      const sample = await takeRound(load, echoPort, gateway.pid, scraped);
      if (round > 0) taken.push(sample);
    }
  }
  await endProgram(gateway.child);
  return [
    [String(workers), 'none', ...describe(quiet), '–', '–'],
    [
      String(workers),
      'one after the other',
      ...describe(busy),
      showSpread(spread(busy.map(({ load: { pages, pageMs } }) => pageMs / pages))),
      showSpread(spread(scrapeCosts(quiet, busy))),
    ],
    [String(workers), 'what they add', ...describeAdded(quiet, busy), '–', '–'],
  ];
}

async function takeRound(
  load: LoadGenerator,
  port: number,
  pid: number,
  page: Page | undefined,
): Promise<Round> {
  const before = cpuMs(pid);
  const order = { kind: 'round-trips', lanes: 1, bytes: 64, port, ms: ROUND_MS } as const;
  const result = await load.run(page === undefined ? order : { ...order, page });
  return { load: result, cpuMs: cpuMs(pid) - before };
}

/** What is not that of round trips, which cost as much without scrapes. */
function scrapeCosts(quiet: readonly Round[], busy: readonly Round[]): readonly number[] {
  return inPairs(quiet, busy, (without, round) => {
    const perRoundTrip = without.cpuMs / without.load.operations;
    return (round.cpuMs - perRoundTrip * round.load.operations) / round.load.pages;
  });
}

const figures: readonly ((load: LoadResult) => number)[] = [
  ({ p50Us }) => p50Us,
  ({ p99Us }) => p99Us,
  ({ p999Us }) => p999Us,
  ({ late, operations }) => (1000 * late) / operations,
];

function describe(rounds: readonly Round[]): readonly string[] {
  return figures.map((figure) => showSpread(spread(rounds.map(({ load }) => figure(load)))));
}

function describeAdded(quiet: readonly Round[], busy: readonly Round[]): readonly string[] {
  return figures.map((figure) =>
    showSpread(spread(inPairs(quiet, busy, (without, round) => figure(round.load) - figure(without.load)))),
  );
}

function inPairs(
  quiet: readonly Round[],
  busy: readonly Round[],
  compare: (without: Round, round: Round) => number,
): readonly number[] {
  return busy.map((round, index) => {
    const without = quiet[index];
    if (without === undefined) throw new TypeError('as many rounds of each');
    return compare(without, round);
  });
}

/** Upstreams whose nodes are under checks, and routes that no session takes. Nothing is probed within the run. */
function checkedRoutes(nodes: number): Readonly<Record<string, object>> {
  const checks = { active: { type: 'tcp', healthy: { interval: 86_400 }, unhealthy: { interval: 86_400 } } };
  const upstreams = Array.from({ length: nodes / NODES_PER_UPSTREAM }, (_, index) => [
    `stream_routes/checked-${index}`,
    {
      server_port: 1,
      remote_addr: `10.0.0.${index}`,
      upstream: { type: 'roundrobin', nodes: nodesAt(`127.${100 + index}`, NODES_PER_UPSTREAM, 1), checks },
    },
  ]);
  return Object.fromEntries(upstreams) as Readonly<Record<string, object>>;
}

/** Nodes at addresses of loopback that begin with this. */
function nodesAt(prefix: string, count: number, port: number): Readonly<Record<string, 1>> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${prefix}.${index >> 8}.${index & 255}:${port}`, 1]),
  );
}

async function fillStore(home: string, documents: Readonly<Record<string, object>>): Promise<void> {
  const store = await openEmbeddedStore({ path: embeddedStorePath(home) });
  for (const [key, document] of Object.entries(documents))
    await store.writer.put(key, JSON.stringify(document));
  await store.close();
}

/** A server on every address of loopback that hangs up. @returns its port. */
async function openServer(workbench: Workbench): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).end());
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  workbench.onClose(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port');
  return address.port;
}

async function connectTimes(count: number, port: number): Promise<void> {
  for (let done = 0; done < count; done += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const socket = connect({ port, host: '127.0.0.1' }).resume();
        await once(socket, 'close');
      }),
    );
  }
}
