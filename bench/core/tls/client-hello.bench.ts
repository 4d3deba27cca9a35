/**
 * What reading a ClientHello costs: one that Node's own client sent (about 1.6 KB), in one read as nearly all come, in
 * TCP segments, and a byte at a time; and the bytes of other protocols, which are told by the first of them.
 *
 *     node --conditions=@apisix-ts/source bench/core/tls/client-hello.bench.ts [rounds, default 15]
 *
 * Microseconds per hello, the median of the rounds, all cases in turns.
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { ClientHelloParser } from '@apisix-ts/core';

const rounds = Number(process.argv[2] ?? 15);

interface BenchCase {
  readonly name: string;
  readonly pieces: readonly Uint8Array[];
  readonly expected: string;
  readonly times: number;
  readonly microseconds: number[];
}

const hello = await recordHello();
const cases: readonly BenchCase[] = [
  benchCase('one read', [hello], 'parsed', 50_000),
  benchCase('segments of 500 bytes', cut(hello, 500), 'parsed', 20_000),
  benchCase('a byte at a time', cut(hello, 1), 'parsed', 200),
  benchCase('another protocol', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'absent', 50_000),
];

for (let round = 0; round <= rounds; round += 1) {
  for (const each of cases) {
    const microseconds = measure(each);
    // The first round warms up.
    if (round > 0) each.microseconds.push(microseconds);
  }
}

console.log(`Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}; ${hello.length} bytes`);
for (const { name, microseconds } of cases) {
  const median = microseconds.toSorted((a, b) => a - b)[microseconds.length >> 1] ?? NaN;
  console.log(`${name.padEnd(24)} ${median.toFixed(2)} µs`);
}

function measure({ pieces, expected, times }: BenchCase): number {
  let found = 0;
  const started = performance.now();
  for (let time = 0; time < times; time += 1) {
    const parser = new ClientHelloParser();
    for (const piece of pieces) if (parser.push(piece).kind === expected) found += 1;
  }
  const elapsedMs = performance.now() - started;
  if (found !== times) throw new Error('the parser did not answer as expected');
  return (elapsedMs * 1000) / times;
}

function benchCase(name: string, pieces: readonly Uint8Array[], expected: string, times: number): BenchCase {
  return { name, pieces, expected, times, microseconds: [] };
}

function cut(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

function recordHello(): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const carrier = new Duplex({
      read() {},
      // Never done, so nothing follows.
      write(chunk: Buffer) {
        resolve(chunk);
      },
    });
    connect({
      socket: carrier,
      servername: 'database.example.com',
      ALPNProtocols: ['h2', 'http/1.1'],
    });
  });
}
