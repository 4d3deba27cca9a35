/**
 * What reading an MQTT CONNECT up to the client's id costs: whole in one read, as nearly all come, with properties, and a
 * byte at a time; and the bytes of another protocol, which are told by the first of them.
 *
 *     node --conditions=@apisix-ts/source bench/core/mqtt/connect-packet.bench.ts [rounds, default 15]
 *
 * Microseconds per packet, the median of the rounds, all cases in turns.
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { ConnectPacketParser } from '@apisix-ts/core';

const rounds = Number(process.argv[2] ?? 15);
const times = 20_000;

interface BenchCase {
  readonly name: string;
  readonly protocolLevel: number;
  readonly pieces: readonly Uint8Array[];
  readonly expected: string;
  readonly microseconds: number[];
}

const ofLevel4 = connectPacket(4, []);
const cases: readonly BenchCase[] = [
  benchCase('level 4', 4, [ofLevel4], 'parsed'),
  benchCase('level 5, with properties', 5, [connectPacket(5, [5, 0x11, 0, 0, 14, 16])], 'parsed'),
  benchCase(
    'level 4, a byte at a time',
    4,
    Array.from(ofLevel4, (byte) => Uint8Array.of(byte)),
    'parsed',
  ),
  benchCase('another protocol', 4, [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'malformed'),
];

for (let round = 0; round <= rounds; round += 1) {
  for (const each of cases) {
    const microseconds = measure(each);
    // The first round warms up.
    if (round > 0) each.microseconds.push(microseconds);
  }
}

console.log(`Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}`);
for (const { name, pieces, microseconds } of cases) {
  const median = microseconds.toSorted((a, b) => a - b)[microseconds.length >> 1] ?? NaN;
  const size = `${Buffer.concat(pieces).length} bytes`;
  console.log(`${name.padEnd(28)} ${size.padEnd(10)} ${median.toFixed(2)} µs`);
}

function measure({ protocolLevel, pieces, expected }: BenchCase): number {
  let found = 0;
  const started = performance.now();
  for (let time = 0; time < times; time += 1) {
    const parser = new ConnectPacketParser({ protocolName: 'MQTT', protocolLevel });
    for (const piece of pieces) if (parser.push(piece).kind === expected) found += 1;
  }
  const elapsedMs = performance.now() - started;
  if (found !== times) throw new Error('the parser did not answer as expected');
  return (elapsedMs * 1000) / times;
}

function benchCase(
  name: string,
  protocolLevel: number,
  pieces: readonly Uint8Array[],
  expected: string,
): BenchCase {
  return { name, protocolLevel, pieces, expected, microseconds: [] };
}

/** Of a device with an id of 24 characters that keeps its session. */
function connectPacket(level: number, properties: readonly number[]): Uint8Array {
  const id = Buffer.from('device-0123456789abcdef-');
  const name = [0, 4, ...Buffer.from('MQTT')];
  const rest = [...name, level, 0, 0, 60, ...properties, 0, id.length, ...id];
  return Uint8Array.of(0x10, rest.length, ...rest);
}
