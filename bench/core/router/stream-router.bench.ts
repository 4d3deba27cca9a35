import { performance } from 'node:perf_hooks';
import { StreamRouter, parseCidr } from '@apisix-ts/core';
import type { StreamFacts, StreamMatch } from '@apisix-ts/core';
import { median } from '../../measure/statistics.ts';
import { matching, strangers } from '../../routes/route-mix.ts';
import type { RouteDocument } from '../../routes/write-routes.ts';

const PORT = 9100;
const ROUNDS = 15;

export interface RouterFigures {
  readonly routes: number;
  /** One `match`, addresses parsed anew as for each session. Nanoseconds, the median of the rounds. */
  readonly nsPerMatch: number;
  /** A changed route in the place of the one before. Nanoseconds. */
  readonly nsPerChange: number;
}

/** Look-ups with that many routes each, in turns. */
export function measureStreamRouter(
  counts: readonly number[],
  matchesPerRound: number,
): readonly RouterFigures[] {
  const routers = counts.map((routes) => ({
    routes,
    router: filledRouter(routes),
    match: noTimes(),
    change: noTimes(),
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { router, match, change } of routers) {
      match.push(timeMatches(router, matchesPerRound));
      change.push(timeChanges(router, matchesPerRound / 100));
    }
  }
  return routers.map(({ routes, match, change }) => ({
    routes,
    nsPerMatch: median(match),
    nsPerChange: median(change),
  }));
}

function noTimes(): number[] {
  return [];
}

function filledRouter(routes: number): StreamRouter<StreamMatch> {
  const router = new StreamRouter<StreamMatch>();
  const upstream = { type: 'roundrobin', nodes: {} } as const;
  for (const route of strangers(routes - 1, PORT, upstream)) router.set(compile(route));
  router.set(compile({ id: 'match', server_port: PORT, ...matching, upstream }));
  return router;
}

function compile({ id, server_port: serverPort, server_addr, remote_addr }: RouteDocument): StreamMatch {
  const toCidr = (text: string | undefined): StreamMatch['serverAddr'] =>
    text === undefined ? undefined : parseCidr(text);
  const addresses = { serverAddr: toCidr(server_addr), remoteAddr: toCidr(remote_addr) };
  return { id, priority: 0, serverNames: [], alpn: [], serverPort, ...addresses };
}

/** @returns nanoseconds each. */
function timeMatches(router: StreamRouter<StreamMatch>, times: number): number {
  const sessions = Array.from({ length: 200 }, (_, index): StreamFacts => ({
    serverPort: PORT,
    serverAddress: '127.0.0.1',
    remoteAddress: `127.0.0.${index + 1}`,
    serverName: undefined,
  }));
  let found = 0;
  const startMs = performance.now();
  for (let count = 0; count < times; count += sessions.length) {
    for (const session of sessions) if (router.match(session)?.id === 'match') found += 1;
  }
  const elapsedMs = performance.now() - startMs;
  if (found < times) throw new Error('a session did not find its route');
  return (elapsedMs * 1e6) / found;
}

/** @returns nanoseconds to put a changed route in the place of the one before, each time another. */
function timeChanges(router: StreamRouter<StreamMatch>, times: number): number {
  let changed = 0;
  const startMs = performance.now();
  for (let count = 0; count < times; count++) {
    const route = router.get(`stranger-${count % router.size}`) ?? router.get('match');
    if (route === undefined) continue;
    router.set({ ...route });
    changed += 1;
  }
  return ((performance.now() - startMs) * 1e6) / changed;
}
