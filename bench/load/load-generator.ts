import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasOwnNetwork, isTrackingConnections } from '../programs/own-network.ts';
import type { Workbench } from '../programs/workbench.ts';

/** One order to the load program, `load.c`, which says what the kinds do. */
export interface LoadOrder {
  readonly kind: 'round-trips' | 'connections' | 'bulk' | 'datagrams';
  readonly port: number;
  /** Connections at a time. */
  readonly lanes: number;
  /** Of a message; of one write for `bulk`. */
  readonly bytes: number;
  readonly ms: number;
  /** What is fetched meanwhile, again as soon as it has come. Default: nothing. */
  readonly page?: Page;
}

/** A page of an HTTP server on loopback. */
export interface Page {
  readonly port: number;
  readonly path: string;
}

export interface LoadResult {
  /** Round trips, connections, or bytes that arrived. */
  readonly operations: number;
  /** Operations that broke. */
  readonly failed: number;
  readonly elapsedMs: number;
  /** From the first step of an operation to the last byte of its answer. Microseconds; 0 for `bulk`. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** Operations that took more than a millisecond. */
  readonly late: number;
  /** Pages that came, and how long they took together. */
  readonly pages: number;
  readonly pageMs: number;
}

/** The servers that stand behind a proxy, all of them on loopback and in the load program. */
export interface Backends {
  /** Send back what they get. Several, so that a proxy does not run out of ports to connect from. */
  readonly echo: readonly number[];
  /** Throws away what it gets. */
  readonly sink: number;
  /** Sends datagrams back. */
  readonly datagramEcho: number;
}

export interface LoadGenerator {
  readonly backends: Backends;
  /** Rejects when an operation broke: the figure would be of something else. */
  run(order: LoadOrder): Promise<LoadResult>;
}

/** @returns a sentence for the report where the load cannot be made. */
export function whyNoLoad(): string | undefined {
  if (spawnSync('cc', ['--version']).status !== 0) {
    return 'Left out: the load program needs `apt-get install gcc libc6-dev`.';
  }
  if (hasOwnNetwork() || !isTrackingConnections()) return undefined;
  return 'Left out: this kernel tracks connections, and so many would fill its table, which drops the packets of others. It needs root or user namespaces, and `apt-get install iproute2`, to measure in a network of its own.';
}

/**
 * Builds the load program and starts it on `cpu`. It is in C because it has to be faster than what it measures: clients
 * and servers take one core together, and in Node they would need twice the time of the fastest proxy.
 */
export async function startLoad(workbench: Workbench, cpu: number): Promise<LoadGenerator> {
  const program = join(workbench.folder, 'load');
  const source = fileURLToPath(new URL('load.c', import.meta.url));
  const { status, stderr } = spawnSync('cc', ['-O2', '-o', program, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the load program did not compile: ${stderr}`);

  const child = workbench.spawn({ command: program, args: [], cpu, stdio: ['pipe', 'pipe', 'inherit'] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError('the pipes were asked for');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('the load program ended; what it said is above');
    return JSON.parse(value);
  };

  const backends = (await answer()) as Backends; // the first line that load.c prints
  return {
    backends,
    async run({ kind, port, lanes, bytes, ms, page }) {
      const words = [kind, port, lanes, bytes, ms, ...(page === undefined ? [] : [page.port, page.path])];
      stdin.write(`${words.join(' ')}\n`);
      const result = (await answer()) as LoadResult; // the line that load.c prints for an order
      if (result.failed > 0) throw new Error(`${result.failed} operations of ${kind} broke on port ${port}`);
      return result;
    },
  };
}
