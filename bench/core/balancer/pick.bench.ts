/**
 * What a pick costs, by balancer and number of nodes, and how long a hash ring takes to build. Prints Markdown:
 * `node --conditions=@apisix-ts/source bench/core/balancer/pick.bench.ts`
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { LocalNodeLoad, balancerKinds, chash, createTiers } from '@apisix-ts/core';
import type { Attempt, Balancer, UpstreamNode } from '@apisix-ts/core';

const ROUNDS = 15;
const PICKS = 50_000;
const counts = [2, 10, 100] as const;

/** As coarse as the clock of a worker, which ticks. */
const clock = { nowMs: 0 };

const attempts: readonly Attempt[] = Array.from({ length: 1000 }, (_, index) => ({
  tried: new Set<UpstreamNode>(),
  key: `10.${index % 7}.${index % 13}.${index % 251}`,
}));

interface Candidate {
  readonly kind: string;
  readonly nodes: number;
  readonly balancer: Balancer;
  /** Nanoseconds a pick, of each round. */
  readonly ns: number[];
  /** Bytes of heap a pick. */
  readonly bytes: number[];
}

const candidates = balancerKinds.flatMap((kind) => counts.map((nodes) => candidate(kind.name, nodes)));
for (let round = -2; round < ROUNDS; round++) {
  for (const each of candidates) measure(each, round >= 0);
}
const buildMs = Array.from({ length: ROUNDS }, measureRing);
console.log(report());

function candidate(kindName: string, nodes: number): Candidate {
  const kind = balancerKinds.find(({ name }) => name === kindName) ?? chash;
  return { kind: kindName, nodes, balancer: createTiers(kind, busyNodes(nodes)), ns: [], bytes: [] };
}

/** Of weights 1 to 3, with some sessions and a measured time to connect. */
function busyNodes(count: number): readonly UpstreamNode[] {
  return Array.from({ length: count }, (_, index): UpstreamNode => {
    const load = new LocalNodeLoad({ nowMs: () => clock.nowMs });
    for (let session = 0; session <= (index * 7) % 11; session++) load.begin();
    load.connected(1 + ((index * 5) % 3));
    const address = `192.0.${index >> 8}.${index & 0xff}`;
    return { host: address, address, port: 3306, weight: 1 + (index % 3), priority: 0, load };
  });
}

function measure({ balancer, ns, bytes }: Candidate, isCounted: boolean): void {
  clock.nowMs += 100;
  const heapBefore = process.memoryUsage().heapUsed;
  const startMs = performance.now();
  let found = 0;
  for (let pick = 0; pick < PICKS; pick += attempts.length) {
    for (const attempt of attempts) if (balancer.pick(attempt) !== undefined) found += 1;
  }
  const elapsedMs = performance.now() - startMs;
  const heapAfter = process.memoryUsage().heapUsed;
  if (found !== PICKS) throw new Error('a pick found no node');
  if (!isCounted) return;
  ns.push((elapsedMs * 1e6) / PICKS);
  // Less than before: a collection came in between.
  if (heapAfter >= heapBefore) bytes.push((heapAfter - heapBefore) / PICKS);
}

/** @returns milliseconds that the first pick among 1 000 equal nodes takes: it builds the ring. */
function measureRing(): number {
  const nodes = busyNodes(1000).map((node) => ({ ...node, weight: 1 }));
  const balancer = chash.create(nodes);
  const startMs = performance.now();
  balancer.pick({ tried: new Set(), key: 'key' });
  return performance.now() - startMs;
}

function report(): string {
  const rows = balancerKinds.map(({ name }) => {
    const own = candidates.filter(({ kind }) => kind === name);
    const times = own.map(({ ns }) => String(Math.round(median(ns))));
    const bytes = median(own.flatMap((each) => each.bytes));
    return `| ${[name, ...times, bytes.toFixed(1)].join(' | ')} |`;
  });
  return [
    `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}. Medians of ${ROUNDS} interleaved rounds of ${PICKS} picks.`,
    '',
    `| balancer | ${counts.map((count) => `ns, ${count} nodes`).join(' | ')} | bytes a pick |`,
    `| --- |${' --- |'.repeat(counts.length + 1)}`,
    ...rows,
    '',
    `A ring of 1 000 nodes, 160 000 points: ${median(buildMs).toFixed(1)} ms; at most ${Math.max(...buildMs).toFixed(1)} ms.`,
  ].join('\n');
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
