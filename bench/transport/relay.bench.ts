/**
 * What a relay costs the processor, side by side: nginx's stream module (when it is installed), the handle driver, the
 * socket driver, and two `pipe`s. Each proxy runs on core 0, load and backend on core 1, and they take turns.
 *
 *     node --conditions=@apisix-ts/source bench/transport/relay.bench.ts [rounds, default 5] [milliseconds, default 1000]
 *     [part of a workload's title, default all]
 *
 * Compare the columns of one run with each other, never with another run's. Loopback only; Linux.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@apisix-ts/testkit';

const rounds = Number(process.argv[2] ?? 5);
const durationMs = Number(process.argv[3] ?? 1000);
const wanted = process.argv[4] ?? '';
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Clients, and bytes of a message. */
const workloads = {
  'turns of 64 B': { mode: 'turns', clients: 64, bytes: 64, unit: 'µs each' },
  'turns of 4 KiB': { mode: 'turns', clients: 64, bytes: 4096, unit: 'µs each' },
  'connections, 64 B': { mode: 'connections', clients: 64, bytes: 64, unit: 'µs each' },
  'bulk both ways': { mode: 'bulk', clients: 4, bytes: 1 << 20, unit: 'ms a GB' },
} as const;

interface Proxy {
  readonly name: string;
  readonly child: ChildProcess;
  readonly port: number;
}

interface LoadResult {
  readonly operations: number;
  readonly bytes: number;
  readonly failures: number;
  readonly seconds: number;
}

const children: ChildProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), 'relay-bench-'));
try {
  await run();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
}

async function run(): Promise<void> {
  const echo = await startNode('echo', '1', 'echo.ts');
  const proxies: Proxy[] = [];
  if (existsSync(streamModule)) proxies.push(await startNginx(echo.port));
  for (const kind of ['handle', 'socket', 'pipe']) {
    proxies.push(await startNode(kind, '0', 'proxy.ts', kind, String(echo.port)));
  }
  console.log(
    `Node ${process.version}, ${cpus()[0]?.model}, ${rounds} rounds of ${durationMs} ms; median, (lowest – highest)`,
  );
  for (const [title, workload] of Object.entries(workloads)) {
    if (!title.includes(wanted)) continue;
    const costs = new Map(proxies.map((proxy) => [proxy.name, [] as number[]]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const proxy of proxies) {
        const cost = await measure(proxy, workload, round === 0 ? 500 : durationMs);
        // The first round warms up.
        if (round > 0) costs.get(proxy.name)?.push(cost);
      }
    }
    report(title, workload.unit, costs);
  }
}

/** Processor time of the proxy: µs an operation, or ms a gigabyte that left it. */
async function measure(
  { name, child, port }: Proxy,
  { mode, clients, bytes }: (typeof workloads)[keyof typeof workloads],
  milliseconds: number,
): Promise<number> {
  const before = processorMicros(child);
  const load = spawnOn(
    '1',
    process.execPath,
    nodeArguments('load.ts', port, mode, milliseconds, clients, bytes),
  );
  let output = '';
  load.stdout?.on('data', (chunk) => (output += String(chunk)));
  await once(load, 'close');
  const used = processorMicros(child) - before;
  const result = parseLoad(output);
  if (result.failures > 0) console.log(`${name}: ${result.failures} connections failed`);
  // What comes back to the client went through the proxy twice.
  return mode === 'bulk' ? used / 1000 / ((result.bytes * 2) / 1e9) : used / result.operations;
}

function report(title: string, unit: string, costs: ReadonlyMap<string, readonly number[]>): void {
  const base = median([...costs.values()][0] ?? []);
  console.log(`\n${title}, ${unit} of processor time`);
  for (const [name, list] of costs) {
    const range = `(${Math.min(...list).toFixed(1)} – ${Math.max(...list).toFixed(1)})`;
    console.log(
      `  ${name.padEnd(8)}${median(list).toFixed(1).padStart(8)}  ${range.padEnd(18)} × ${(median(list) / base).toFixed(2)}`,
    );
  }
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
}

/** All threads of the process, in the scheduler's own nanoseconds. */
function processorMicros({ pid }: ChildProcess): number {
  let nanos = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanos / 1000;
}

async function startNode(
  name: string,
  core: string,
  file: string,
  ...rest: readonly string[]
): Promise<Proxy> {
  const child = spawnOn(core, process.execPath, nodeArguments(file, ...rest));
  const [line] = child.stdout === null ? [] : await once(child.stdout, 'data');
  return { name, child, port: Number(String(line)) };
}

async function startNginx(upstreamPort: number): Promise<Proxy> {
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `load_module ${streamModule};
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/log;
events { worker_connections 4096; }
stream { server { listen 127.0.0.1:${port} backlog=511; proxy_pass 127.0.0.1:${upstreamPort}; } }
`,
  );
  const child = spawnOn('0', 'nginx', ['-p', folder, '-c', file]);
  while (!(await answers(port))) await new Promise(setImmediate);
  return { name: 'nginx', child, port };
}

/** `taskset` becomes the program, so the pid is the program's. */
function spawnOn(core: string, command: string, args: readonly string[]): ChildProcess {
  const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

function nodeArguments(file: string, ...rest: readonly (string | number)[]): string[] {
  const path = fileURLToPath(new URL(`relay/${file}`, import.meta.url));
  return ['--conditions=@apisix-ts/source', path, ...rest.map(String)];
}

function parseLoad(text: string): LoadResult {
  // Written by load.ts.
  return JSON.parse(text) as LoadResult;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
