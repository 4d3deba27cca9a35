import { join } from 'node:path';
import { openEmbeddedStore } from '@apisix-ts/store-embedded';
import { startLoad, whyNoLoad } from '../load/load-generator.ts';
import { cpuMs } from '../measure/cpu.ts';
import { median, spread } from '../measure/statistics.ts';
import { freePorts } from '../programs/free-ports.ts';
import { embeddedStorePath, startGateway } from '../proxies/gateway-program.ts';
import { showSpread } from '../report.ts';
import { upstreamOf, writeRoutes } from '../routes/write-routes.ts';
import { loadCpu, proxyCpu } from './case.ts';
import type { Case } from './case.ts';

/** Blocks of addresses, none of which is the client's. */
const otherBlocks = Array.from({ length: 1000 }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`);
const limit = { conn: 100_000, burst: 0, default_conn_delay: 0.1, key: 'remote_addr' };

/** What a route may have. The first is what the others are compared with. */
const chains: readonly { readonly name: string; readonly plugins: Readonly<Record<string, object>> }[] = [
  { name: 'none', plugins: {} },
  { name: '`ip-restriction`, 1 000 blocks', plugins: { 'ip-restriction': { blacklist: otherBlocks } } },
  { name: '`limit-conn`, by client', plugins: { 'limit-conn': limit } },
  {
    name: "`traffic-split`, all to the route's own",
    plugins: { 'traffic-split': { rules: [{ weighted_upstreams: [{ weight: 1 }] }] } },
  },
  {
    name: 'all three, the first with a `_meta.filter`',
    plugins: {
      'ip-restriction': { blacklist: otherBlocks, _meta: { filter: [['server_port', '>', 0]] } },
      'limit-conn': limit,
      'traffic-split': { rules: [{ weighted_upstreams: [{ weight: 1 }] }] },
    },
  },
];

/** What plugins add to a connection. */
export const pluginsCase: Case = async (workbench, isQuick) => {
  const title = 'New connections by the plugins of their route';
  const obstacle = whyNoLoad();
  if (obstacle !== undefined) return [{ title, notes: [obstacle], tables: [] }];
  // What a plugin adds is little beside what rounds differ by: many short ones tell more than a few long ones.
  const rounds = isQuick ? 5 : 41;
  const ms = 400;
  const load = await startLoad(workbench, loadCpu);
  const ports = await freePorts(chains.length);
  const home = join(workbench.folder, 'plugins');
  const store = await openEmbeddedStore({ path: embeddedStorePath(home) });
  const upstream = upstreamOf(load.backends.echo);
  await writeRoutes(
    store.writer,
    chains.map(({ plugins }, index) => ({
      id: String(index),
      server_port: ports[index] ?? 0,
      plugins,
      upstream,
    })),
  );
  await store.close();
  const { pid } = await startGateway(workbench, { home, ports, workers: 1, relay: 'auto', cpu: proxyCpu });

  const samples = chains.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, taken] of samples.entries()) {
      const beforeMs = cpuMs(pid);
      const port = ports[index] ?? 0;
      const { operations } = await load.run({ kind: 'connections', port, lanes: 64, bytes: 64, ms });
      const cpuUs = ((cpuMs(pid) - beforeMs) * 1000) / operations;
      if (round > 0) taken.push(cpuUs);
    }
  }
  const [base = []] = samples;
  return [
    {
      title,
      notes: [
        `One gateway with one worker on a core of its own, a port and a route for each row, in turns: median (lowest–highest) of ${rounds} rounds of ${ms / 1000} s. What is added is the median of the differences within the rounds.`,
      ],
      tables: [
        {
          columns: ['plugins', 'CPU µs a connection', 'added, µs'],
          rows: chains.map(({ name }, index) => {
            const taken = samples[index] ?? [];
            const added = median(taken.map((cpuUs, round) => cpuUs - (base[round] ?? Number.NaN)));
            return [name, showSpread(spread(taken)), index === 0 ? '–' : added.toFixed(1)];
          }),
        },
      ],
    },
  ];
};
