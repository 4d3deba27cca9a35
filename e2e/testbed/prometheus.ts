import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@apisix-ts/testkit';
import { startProcess } from './process.ts';

/** A series as a query finds it. */
export interface FoundSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus server that scrapes one target every 200 ms. */
export interface PrometheusServer {
  /** What a query finds now. */
  query(query: string): Promise<readonly FoundSeries[]>;
  /** The names of the alerts that it watches, and how evaluating each went: `unknown` before the first time, `ok`, or an error. */
  alerts(): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

/** Starts a Prometheus server on `target`. @param rules a file of rules. */
export async function startPrometheus(target: URL, rules: string): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const port = await freePort();
  await writeFile(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 200ms, evaluation_interval: 200ms }
rule_files: [${rules}]
scrape_configs:
  - job_name: apisix
    metrics_path: ${target.pathname}
    static_configs: [{ targets: ['${target.host}'] }]
`,
  );
  const server = await startProcess('prometheus', [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await server.waitForOutput(/Server is ready to receive web requests/);

  async function ask(path: string): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { data, error } = (await response.json()) as { readonly data?: unknown; readonly error?: string };
    if (error !== undefined) throw new Error(`Prometheus answered ${response.status}: ${error}`);
    return data;
  }

  return {
    async query(query) {
      const { result } = (await ask(`query?query=${encodeURIComponent(query)}`)) as {
        readonly result: readonly {
          readonly metric: Record<string, string>;
          readonly value: [number, string];
        }[];
      };
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
    async alerts() {
      const { groups } = (await ask('rules')) as {
        readonly groups: readonly {
          readonly rules: readonly {
            readonly name: string;
            readonly health: string;
            readonly lastError?: string;
          }[];
        }[];
      };
      return new Map(
        groups.flatMap(({ rules: found }) =>
          found.map(({ name, health, lastError }) => [name, lastError ?? health] as const),
        ),
      );
    },
    async close() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
