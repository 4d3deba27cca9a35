import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, makeCertificate } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { runCommand, runOrFail, startProcess } from '../../testbed/process.ts';
import type { RunningProcess } from '../../testbed/process.ts';

let leaks: LeakCheck;
let folder: string;
let gateway: GatewayInstallation;
let redis: RunningProcess;
let broker: RunningProcess;
/** Of the gateway: TLS that ends or is passed on, and plain. */
let tlsPort: number;
let plainPort: number;
/** Of the servers. */
let redisPort: number;
let redisTlsPort: number;
let brokerPort: number;

/**
 * The gateway of docs/guides/tls.md between real clients and servers: Redis, which speaks plain and TLS, and an MQTT
 * broker. Each has a value of its own, so an answer shows who gave it.
 */
beforeAll(async () => {
  leaks = openLeakCheck();
  folder = await mkdtemp(join(tmpdir(), 'tls-'));
  gateway = await createGatewayInstallation();
  [tlsPort, plainPort, redisPort, redisTlsPort, brokerPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const ca = await makeCertificate({ names: ['ca'], use: 'ca' });
  const [ours, theirs] = await Promise.all([
    makeCertificate({ names: ['db.example.com', 'localhost'], ca }),
    makeCertificate({ names: ['redis.other.example'], ca }),
  ]);
  await Promise.all([
    writeFile(join(folder, 'ca.crt'), ca.cert),
    writeFile(join(folder, 'redis.crt'), theirs.cert),
    writeFile(join(folder, 'redis.key'), theirs.key),
    writeFile(join(folder, 'mosquitto.conf'), `listener ${brokerPort} 127.0.0.1\nallow_anonymous true\n`),
  ]);
  const options = {
    bind: '127.0.0.1',
    port: redisPort,
    dir: folder,
    save: '',
    'tls-port': redisTlsPort,
    'tls-auth-clients': 'no',
    'tls-cert-file': join(folder, 'redis.crt'),
    'tls-key-file': join(folder, 'redis.key'),
    'tls-ca-cert-file': join(folder, 'ca.crt'),
  };
  redis = await startProcess(
    'redis-server',
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
  );
  broker = await startProcess('mosquitto', ['-c', join(folder, 'mosquitto.conf')]);
  await Promise.all([redis.waitForOutput(/Ready to accept connections/), broker.waitForOutput(/running/)]);

  await gateway.configure(`proxy_mode: http&stream
stream_proxy:
  tcp:
    - "127.0.0.1:${plainPort}"
    - { addr: "127.0.0.1:${tlsPort}", tls: true, tls_passthrough: true }`);
  await gateway.apisixOk('start');
  const upstream = (port: number, more: object = {}): object => ({
    nodes: { [`127.0.0.1:${port}`]: 1 },
    ...more,
  });
  await gateway.put('/ssls/db', { snis: ['db.example.com', 'localhost'], ...ours });
  await gateway.put('/stream_routes/db', {
    server_port: tlsPort,
    sni: 'db.example.com',
    upstream: upstream(redisPort),
  });
  await gateway.put('/stream_routes/others', {
    sni: '*.other.example',
    tls_passthrough: true,
    upstream: upstream(redisTlsPort),
  });
  await gateway.put('/stream_routes/mqtt', {
    server_port: tlsPort,
    alpn: ['mqtt'],
    upstream: upstream(brokerPort),
  });
  await gateway.put('/stream_routes/outside', {
    server_port: plainPort,
    upstream: upstream(redisTlsPort, { scheme: 'tls' }),
  });
});

afterAll(async () => {
  await Promise.all([redis?.stop(), broker?.stop()]);
  await gateway?.remove();
  await rm(folder, { recursive: true, force: true });
  expect(await leaks.leftovers()).toEqual([]);
});

function redisCli(port: number, ...args: readonly string[]): Promise<string> {
  return runOrFail('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...args]);
}

function redisTls(name: string, ...args: readonly string[]): Promise<string> {
  return redisCli(tlsPort, '--tls', '--sni', name, '--cacert', join(folder, 'ca.crt'), ...args);
}

describe('redis-cli', () => {
  test('with TLS that ends at the gateway talks to the plain port', async () => {
    expect(await redisTls('db.example.com', 'set', 'ended', 'yes')).toBe('OK\n');
    expect(await redisCli(redisPort, 'get', 'ended')).toBe('yes\n');
  });

  test('with TLS that is passed on sees the certificate of the server', async () => {
    expect(await redisTls('redis.other.example', 'ping')).toBe('PONG\n');
    const where = ['-connect', `127.0.0.1:${tlsPort}`, '-servername', 'redis.other.example'];
    const { stdout } = await runCommand('openssl', ['s_client', ...where]);
    expect(stdout).toMatch(/subject=CN = redis\.other\.example/);
  });

  test('without TLS reaches a server that has nothing else', async () => {
    expect(await redisCli(plainPort, 'ping')).toBe('PONG\n');
  });

  test('moves values of any size both ways', async () => {
    const value = join(folder, 'value');
    await writeFile(value, 'x'.repeat(8_000_000));

    await runOrFail('sh', [
      '-c',
      `redis-cli -h 127.0.0.1 -p ${tlsPort} --tls --sni db.example.com --cacert ${folder}/ca.crt -x set large < ${value}`,
    ]);

    expect((await redisTls('db.example.com', 'get', 'large')).length).toBe(8_000_001);
  });
});

describe('an MQTT client', () => {
  test('that says so in the handshake reaches the broker at the same port', async () => {
    const where = ['-h', 'localhost', '-p', String(tlsPort), '--cafile', join(folder, 'ca.crt')];
    const topic = ['--tls-alpn', 'mqtt', '-t', 'greeting'];
    await runOrFail('mosquitto_pub', [...where, ...topic, '-r', '-m', 'good morning']);

    // The broker keeps it for whoever comes later.
    expect(await runOrFail('mosquitto_sub', [...where, ...topic, '-C', '1', '-W', '30'])).toBe(
      'good morning\n',
    );
  });
});
