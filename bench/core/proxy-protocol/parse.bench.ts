/**
 * What a PROXY header costs to read and to write, by version and family, with and without TLVs and checksum.
 *
 *     node --conditions=@apisix-ts/source bench/core/proxy-protocol/parse.bench.ts [rounds, default 15]
 *
 * Microseconds per header, the median of the rounds, all cases in turns.
 */
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { ProxyHeaderParser, writeProxyV1, writeProxyV2 } from '@apisix-ts/core';
import type { IpAddresses, ProxyTlvs } from '@apisix-ts/core';

const rounds = Number(process.argv[2] ?? 15);
const times = 20_000;

const ipv4 = between('192.0.2.1', '198.51.100.2');
const ipv6 = between('2001:db8::1', '2001:db8:0:1::2');
const tlvs: ProxyTlvs = {
  authority: 'database.example.com',
  alpn: 'h2',
  ssl: {
    isTls: true,
    hasCertificate: false,
    hasSessionCertificate: false,
    isVerified: false,
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
  },
};

interface BenchCase {
  readonly name: string;
  readonly write: () => Uint8Array;
  readonly readMicroseconds: number[];
  readonly writeMicroseconds: number[];
}

const cases: readonly BenchCase[] = [
  benchCase('v1, IPv4', () => writeProxyV1(ipv4)),
  benchCase('v1, IPv6', () => writeProxyV1(ipv6)),
  benchCase('v2, IPv4', () => writeProxyV2(ipv4)),
  benchCase('v2, IPv6', () => writeProxyV2(ipv6)),
  benchCase('v2, IPv4, TLVs', () => writeProxyV2(ipv4, { tlvs })),
  benchCase('v2, IPv4, TLVs, CRC32c', () => writeProxyV2(ipv4, { tlvs, hasChecksum: true })),
];

for (let round = 0; round <= rounds; round += 1) {
  for (const { write, readMicroseconds, writeMicroseconds } of cases) {
    const reading = measureRead(write());
    const writing = measureWrite(write);
    // The first round warms up.
    if (round === 0) continue;
    readMicroseconds.push(reading);
    writeMicroseconds.push(writing);
  }
}

console.log(`Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}`);
for (const { name, write, readMicroseconds, writeMicroseconds } of cases) {
  const [reading, writing] = [median(readMicroseconds), median(writeMicroseconds)];
  const size = `${write().length} bytes`;
  console.log(
    `${name.padEnd(24)} ${size.padEnd(10)} read ${reading.toFixed(2)} µs, written ${writing.toFixed(2)} µs`,
  );
}

function measureRead(header: Uint8Array): number {
  let found = 0;
  const started = performance.now();
  for (let time = 0; time < times; time += 1) {
    if (new ProxyHeaderParser().push(header).kind === 'parsed') found += 1;
  }
  const elapsedMs = performance.now() - started;
  if (found !== times) throw new Error('the parser did not read the header');
  return (elapsedMs * 1000) / times;
}

function measureWrite(write: () => Uint8Array): number {
  let bytes = 0;
  const started = performance.now();
  for (let time = 0; time < times; time += 1) bytes += write().length;
  const elapsedMs = performance.now() - started;
  if (bytes === 0) throw new Error('nothing was written');
  return (elapsedMs * 1000) / times;
}

function benchCase(name: string, write: () => Uint8Array): BenchCase {
  return { name, write, readMicroseconds: [], writeMicroseconds: [] };
}

function between(source: string, destination: string): IpAddresses {
  return {
    family: 'ip',
    transport: 'stream',
    source: { address: source, port: 56_324 },
    destination: { address: destination, port: 443 },
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
