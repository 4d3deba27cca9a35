/**
 * What a look-up by server name costs with so many routes that have one: half of them exact names, the others wildcards of
 * two depths. `stream-router.bench.ts` has sessions without a name.
 *
 *     node --conditions=@apisix-ts/source bench/core/router/server-name.bench.ts [rounds, default 15]
 *
 * Nanoseconds per match, the median of the rounds, all cases in turns.
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { StreamRouter } from '@apisix-ts/core';
import type { StreamFacts, StreamMatch } from '@apisix-ts/core';

const rounds = Number(process.argv[2] ?? 15);
const times = 50_000;
const counts = [4, 1000, 100_000];
const port = 9100;

/** The name asked for, and the route that serves it. */
const sessions = {
  'exact name': ['db.exact.example.com', 'exact'],
  'wildcard, one label': ['db.wild.example.com', 'wild'],
  'wildcard, three labels': ['a.b.c.wild.example.com', 'wild'],
  'no route has it': ['db.example.net', 'plain'],
  'no name': [undefined, 'plain'],
} as const;

const routers = counts.map((count) => ({ count, router: fill(count) }));
const figures = new Map<string, number[]>();
for (let round = 0; round <= rounds; round += 1) {
  for (const { count, router } of routers) {
    for (const [name, [serverName, id]] of Object.entries(sessions)) {
      const nanoseconds = measure(router, serverName, id);
      // The first round warms up.
      if (round === 0) continue;
      const key = `${name}, ${count} routes`;
      const list = figures.get(key);
      if (list === undefined) figures.set(key, [nanoseconds]);
      else list.push(nanoseconds);
    }
  }
}

console.log(`Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}`);
for (const name of Object.keys(sessions)) {
  const cells = counts.map(
    (count) => `${count}: ${median(figures.get(`${name}, ${count} routes`) ?? [])} ns`,
  );
  console.log(`${name.padEnd(24)} ${cells.join('   ')}`);
}

function measure(router: StreamRouter<StreamMatch>, serverName: string | undefined, id: string): number {
  const remotes = Array.from({ length: 100 }, (_, index): StreamFacts => ({
    serverPort: port,
    serverAddress: '127.0.0.1',
    remoteAddress: `127.0.0.${index + 1}`,
    serverName,
  }));
  let found = 0;
  const started = performance.now();
  for (let time = 0; time < times; time += remotes.length) {
    for (const facts of remotes) if (router.match(facts)?.id === id) found += 1;
  }
  const elapsedMs = performance.now() - started;
  if (found !== times) throw new Error('a session did not find its route');
  return (elapsedMs * 1e6) / times;
}

function fill(count: number): StreamRouter<StreamMatch> {
  const router = new StreamRouter<StreamMatch>();
  router.set(route('plain'));
  router.set(route('exact', 'db.exact.example.com'));
  router.set(route('wild', '*.wild.example.com'));
  router.set(route('com', '*.com'));
  for (let index = router.size; index < count; index += 1) {
    router.set(route(`other-${index}`, otherName(index)));
  }
  return router;
}

function otherName(index: number): string {
  if (index % 2 === 0) return `db.customer-${index}.example.com`;
  return index % 4 === 1 ? `*.customer-${index}.example.com` : `*.eu.customer-${index}.example.com`;
}

function route(id: string, ...serverNames: readonly string[]): StreamMatch {
  const addresses = { alpn: [], serverAddr: undefined, remoteAddr: undefined };
  return {
    id,
    priority: 0,
    serverNames,
    serverPort: serverNames.length === 0 ? undefined : port,
    ...addresses,
  };
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN);
}
