import { whyNoLoad, startLoad } from '../load/load-generator.ts';
import type { LoadGenerator, LoadOrder } from '../load/load-generator.ts';
import { cpuMs } from '../measure/cpu.ts';
import { median, spread } from '../measure/statistics.ts';
import { gateway } from '../proxies/gateway.ts';
import { haproxy } from '../proxies/haproxy.ts';
import { nginx } from '../proxies/nginx.ts';
import type { ProxyKind, RunningProxy } from '../proxies/proxy.ts';
import { showSpread } from '../report.ts';
import type { Table } from '../report.ts';
import { loadCpu, proxyCpu } from './case.ts';
import type { Case } from './case.ts';

/** The first is what the others are compared with. */
const kinds: readonly ProxyKind[] = [nginx, haproxy, gateway('auto'), gateway('socket')];

interface Measure {
  readonly title: string;
  readonly order: Omit<LoadOrder, 'port' | 'ms'>;
  /** Undefined: the proxy cannot do it. */
  readonly portOf: (proxy: RunningProxy) => number | undefined;
  /** Of the rate, and how many operations are one of it. */
  readonly unit: string;
  readonly perUnit: number;
  /** Of the proxy's CPU time, and how many microseconds are one of it. */
  readonly cpuUnit: string;
  readonly usPerCpuUnit: number;
}

const measures: readonly Measure[] = [
  {
    title: 'Small round trips: 64 connections, 64 bytes each way',
    order: { kind: 'round-trips', lanes: 64, bytes: 64 },
    portOf: (proxy) => proxy.echoPort,
    unit: 'round trips/s',
    perUnit: 1,
    cpuUnit: 'CPU µs each',
    usPerCpuUnit: 1,
  },
  {
    title: 'New connections: connect, 64 bytes each way, close; 64 at a time',
    order: { kind: 'connections', lanes: 64, bytes: 64 },
    portOf: (proxy) => proxy.echoPort,
    unit: 'connections/s',
    perUnit: 1,
    cpuUnit: 'CPU µs each',
    usPerCpuUnit: 1,
  },
  {
    title: 'Datagrams: 64 clients on UDP, 64 bytes each way',
    order: { kind: 'datagrams', lanes: 64, bytes: 64 },
    portOf: (proxy) => proxy.datagramPort,
    unit: 'round trips/s',
    perUnit: 1,
    cpuUnit: 'CPU µs each',
    usPerCpuUnit: 1,
  },
  {
    title: 'Bulk: 4 connections, client to server, writes of 256 KiB',
    order: { kind: 'bulk', lanes: 4, bytes: 262_144 },
    portOf: (proxy) => proxy.sinkPort,
    unit: 'GB/s',
    perUnit: 1e9,
    cpuUnit: 'CPU s per GB',
    usPerCpuUnit: 1e6,
  },
];

/** One round of one proxy. */
interface Sample {
  /** Operations a second. */
  readonly rate: number;
  /** CPU of the proxy per operation. Microseconds. */
  readonly cpuUs: number;
  /** How much of its core the proxy had. */
  readonly busy: number;
}

/** This gateway between the proxies people know, in turns, so that what else the machine does hits all of them alike. */
export const proxyCase: Case = async (workbench, isQuick) => {
  const title = 'Proxies compared';
  const obstacle = whyNoLoad();
  if (obstacle !== undefined) return [{ title, notes: [obstacle], tables: [] }];
  const rounds = isQuick ? 3 : 9;
  const ms = isQuick ? 700 : 1500;
  const load = await startLoad(workbench, loadCpu);
  const present = kinds.filter(({ missing }) => missing === undefined);
  const running = new Map<ProxyKind, RunningProxy>();
  for (const kind of present) running.set(kind, await kind.start(workbench, load.backends, proxyCpu));

  const samples = new Map(measures.map((measure) => [measure, new Map<ProxyKind, Sample[]>()]));
  // Round 0 warms caches and compilers up, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const [measure, byKind] of samples) {
      for (const [kind, proxy] of running) {
        const port = measure.portOf(proxy);
        if (port === undefined) continue;
        const sample = await takeSample(load, { ...measure.order, port, ms }, proxy);
        if (round > 0) byKind.set(kind, [...(byKind.get(kind) ?? []), sample]);
      }
    }
  }
  const absences = kinds.flatMap(({ name, missing }) =>
    missing === undefined ? [] : [`${name} is left out: it needs \`apt-get install ${missing}\`.`],
  );
  return [
    {
      title,
      notes: [
        `Median (lowest–highest) of ${rounds} interleaved rounds of ${ms / 1000} s; ratios are medians of the rounds' ratios. Each proxy has one worker and is pinned to one core; clients and servers share the other.`,
        ...absences,
      ],
      tables: measures.map((measure) => describe(measure, samples.get(measure) ?? new Map())),
    },
  ];
};

async function takeSample(load: LoadGenerator, order: LoadOrder, proxy: RunningProxy): Promise<Sample> {
  const before = cpuMs(proxy.pid);
  const { operations, elapsedMs } = await load.run(order);
  const usedMs = cpuMs(proxy.pid) - before;
  return {
    rate: (operations / elapsedMs) * 1000,
    cpuUs: (usedMs * 1000) / operations,
    busy: usedMs / elapsedMs,
  };
}

function describe(measure: Measure, samples: ReadonlyMap<ProxyKind, readonly Sample[]>): Table {
  const { title, unit, perUnit, cpuUnit, usPerCpuUnit } = measure;
  const [[base, reference] = [undefined, []]] = samples;
  return {
    title,
    columns: ['proxy', unit, cpuUnit, `CPU, ${base?.name} = 1`, `rate, ${base?.name} = 1`, 'core in use'],
    rows: [...samples].map(([kind, taken]) => {
      // Round by round: neighbours in time had the same machine.
      const ratioOf = (field: 'rate' | 'cpuUs'): number =>
        median(taken.map((sample, round) => sample[field] / (reference[round]?.[field] ?? Number.NaN)));
      return [
        kind.name,
        showSpread(spread(taken.map(({ rate }) => rate / perUnit))),
        showSpread(spread(taken.map(({ cpuUs }) => (cpuUs * perUnit) / usPerCpuUnit))),
        ratioOf('cpuUs').toFixed(2),
        ratioOf('rate').toFixed(2),
        `${Math.round(median(taken.map(({ busy }) => busy)) * 100)} %`,
      ];
    }),
  };
}
