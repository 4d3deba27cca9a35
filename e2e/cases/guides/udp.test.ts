import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDnsServer } from '@apisix-ts/testkit';
import type { DnsServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { runOrFail } from '../../testbed/process.ts';

const NAMES = 1000;

let leaks: LeakCheck;
let folder: string;
let first: DnsServer;
let second: DnsServer;

beforeAll(async () => {
  leaks = openLeakCheck();
  folder = await mkdtemp(join(tmpdir(), 'dig-'));
  const numbered = Array.from({ length: NAMES }, (_, index) => [`n${index}.test`, [addressOf(index)]]);
  const names = { ...Object.fromEntries(numbered), 'www.test': ['192.0.2.1'] };
  [first, second] = await Promise.all([startDnsServer({ names }), startDnsServer({ names })]);
});

afterAll(async () => {
  await Promise.all([first.close(), second.close()]);
  await rm(folder, { recursive: true, force: true });
  expect(await leaks.leftovers()).toEqual([]);
});

function addressOf(index: number): string {
  return `10.1.${index >> 8}.${index & 255}`;
}

/** The steps of docs/guides/udp.md, in order, each on what the one before left. */
describe('the UDP guide', () => {
  let gateway: GatewayInstallation;

  beforeAll(async () => {
    gateway = await createGatewayInstallation();
  });

  afterAll(async () => {
    await gateway.remove();
  });

  /** One try a query: a lost one fails. */
  function dig(...args: readonly string[]): Promise<string> {
    const port = String(gateway.streamPort);
    return runOrFail('dig', ['@127.0.0.1', '-p', port, '+tries=1', '+time=20', '+short', ...args]);
  }

  test('opens the ports', async () => {
    const port = gateway.streamPort;
    await gateway.configure(`proxy_mode: http&stream\nstream_proxy:\n  tcp: [${port}]\n  udp: [${port}]`);
    await gateway.apisixOk('start');
  });

  test('takes the route', async () => {
    const answer = await gateway.put('/stream_routes/dns', {
      server_port: gateway.streamPort,
      upstream: {
        nodes: { [first.server]: 1, [second.server]: 1 },
        timeout: { connect: 2, send: 10, read: 10 },
        checks: {
          active: {
            type: 'udp',
            send: { hex: '1234 0100 0001 0000 0000 0000 00 0002 0001' },
            expect: { hex: '1234' },
            healthy: { interval: 5 },
            unhealthy: { interval: 1 },
          },
          passive: { type: 'tcp', unhealthy: { tcp_failures: 1 } },
        },
      },
    });

    expect(answer.status).toBe(201);
  });

  test('answers questions, on UDP and on TCP', async () => {
    expect(await dig('www.test')).toBe('192.0.2.1\n');
    expect(await dig('+tcp', 'www.test')).toBe('192.0.2.1\n');
  });

  test('answers thousands of questions, each client with its own', async () => {
    const file = join(folder, 'names');
    await writeFile(file, Array.from({ length: NAMES }, (_, index) => `n${index}.test A\n`).join(''));
    const expected = Array.from({ length: NAMES }, (_, index) => `${addressOf(index)}\n`).join('');

    // dig shares its ports with others of its kind (SO_REUSEPORT), who would get its answers: each has its own address.
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, index) => dig('-b', `127.0.0.${index + 2}`, '-f', file)),
    );

    for (const answer of answers) expect(answer).toBe(expected);
  });

  test('goes on with one of two servers', async () => {
    await first.close();

    for (let question = 0; question < 20; question += 1) {
      // A datagram that is refused is lost: the client asks again, as DNS clients do, and dig says so.
      expect(await dig('+tries=5', '+time=2', 'www.test')).toMatch(/^192\.0\.2\.1$/m);
    }

    expect(await gateway.errorLog()).toContain('a node is unhealthy');
  });
});
