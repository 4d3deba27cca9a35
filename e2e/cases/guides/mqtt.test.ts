import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, makeCertificate, someBytes } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { openLeakCheck } from '../../testbed/leak-check.ts';
import type { LeakCheck } from '../../testbed/leak-check.ts';
import { startMqttBroker } from '../../testbed/mqtt-broker.ts';
import type { MqttBroker } from '../../testbed/mqtt-broker.ts';
import { runCommand, runOrFail } from '../../testbed/process.ts';

/** A kind of client: its version of MQTT, and the port at which the gateway expects it. */
interface ClientKind {
  readonly version: 'mqttv31' | 'mqttv311' | 'mqttv5';
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly options?: readonly string[];
}

let leaks: LeakCheck;
let folder: string;
let gateway: GatewayInstallation;
let brokers: readonly MqttBroker[] = [];
let level3: ClientKind;
let level4: ClientKind;
let level5: ClientKind;
let level5OverTls: ClientKind;
let datagramPort: number;

/** The gateway of docs/guides/mqtt.md between real clients and two brokers, each of which tells its name. */
beforeAll(async () => {
  leaks = openLeakCheck();
  folder = await mkdtemp(join(tmpdir(), 'mqtt-guide-'));
  gateway = await createGatewayInstallation();
  const [port3, port4, port5, tlsPort, udpPort, certificate] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
    freePort(),
    makeCertificate({ names: ['localhost'] }),
  ]);
  const ca = join(folder, 'ca.crt');
  await writeFile(ca, certificate.cert);
  level3 = { version: 'mqttv31', port: port3 };
  level4 = { version: 'mqttv311', port: port4 };
  level5 = { version: 'mqttv5', port: port5 };
  level5OverTls = {
    version: 'mqttv5',
    port: tlsPort,
    host: 'localhost',
    options: ['--cafile', ca],
  };
  datagramPort = udpPort;
  brokers = await Promise.all([startMqttBroker('first'), startMqttBroker('second')]);

  await gateway.configure(`proxy_mode: http&stream
stream_proxy:
  tcp:
    - "127.0.0.1:${port3}"
    - "127.0.0.1:${port4}"
    - "127.0.0.1:${port5}"
    - { addr: "127.0.0.1:${tlsPort}", tls: true }
  udp:
    - "127.0.0.1:${udpPort}"`);
  await gateway.apisixOk('start');
  await gateway.put('/ssls/devices', { sni: 'localhost', ...certificate });
  await gateway.put('/upstreams/brokers', {
    type: 'chash',
    key: 'mqtt_client_id',
    nodes: Object.fromEntries(brokers.map(({ server }) => [server, 1])),
  });
  const route = (server_port: number, mqtt: object): object => ({
    server_port,
    plugins: { 'mqtt-proxy': mqtt },
    upstream_id: 'brokers',
  });
  await gateway.put('/stream_routes/level3', route(port3, { protocol_name: 'MQIsdp', protocol_level: 3 }));
  await gateway.put('/stream_routes/level4', route(port4, { protocol_level: 4 }));
  await gateway.put('/stream_routes/level5', route(port5, { protocol_level: 5 }));
  await gateway.put('/stream_routes/tls', route(tlsPort, { protocol_level: 5 }));
  await gateway.put('/stream_routes/datagrams', route(udpPort, { protocol_level: 4 }));
});

afterAll(async () => {
  await Promise.all(brokers.map((broker) => broker.close()));
  await gateway?.remove();
  await rm(folder, { recursive: true, force: true });
  expect(await leaks.leftovers()).toEqual([]);
});

function optionsOf({ version, port, host = '127.0.0.1', options = [] }: ClientKind): string[] {
  // Only level 5 has properties. They stand before the id.
  const properties = ['-D', 'connect', 'user-property', 'kind', 'sensor', '-x', '3600'];
  return [
    '-h',
    host,
    '-p',
    String(port),
    '-V',
    version,
    ...(version === 'mqttv5' ? properties : []),
    ...options,
  ];
}

/** The name of the broker that a client reaches. */
function brokerOf(kind: ClientKind, ...options: readonly string[]): Promise<string> {
  return runOrFail('mosquitto_sub', [...optionsOf(kind), '-t', 'broker', '-C', '1', '-W', '30', ...options]);
}

/** Asks for one client after the other until both brokers were found. @returns the broker of each that was asked for. */
async function untilBothAreFound(find: (number: number) => Promise<string>): Promise<readonly string[]> {
  const found: string[] = [];
  while (new Set(found).size < 2) {
    // Half of them each: so many in a row do not happen.
    if (found.length === 100) throw new Error(`all clients reach ${found[0]}`);
    found.push(await find(found.length));
  }
  return found;
}

function untilLogged(text: string): Promise<void> {
  return expect.poll(() => gateway.errorLog()).toContain(text);
}

describe('a client', () => {
  test('reaches the broker of its id, whatever its version, with TLS and without', async () => {
    const found = await untilBothAreFound((number) => brokerOf(level4, '-i', `device-${number}`));

    for (const kind of [level3, level4, level5, level5OverTls]) {
      const again = found.map((_, number) => brokerOf(kind, '-i', `device-${number}`));
      expect(await Promise.all(again)).toEqual(found);
    }
  });

  test('without an id reaches the broker of its address', async () => {
    const from = (number: number): Promise<string> => brokerOf(level4, '-A', `127.0.0.${number + 2}`);
    const found = await untilBothAreFound(from);

    expect(await Promise.all(found.map((_, number) => from(number)))).toEqual(found);
  });

  test.each([
    ['level 4', () => level4],
    ['level 5', () => level5],
    ['level 5 over TLS', () => level5OverTls],
  ] as const)('of %s moves messages of any bytes', async (_, kindOf) => {
    const kind = kindOf();
    const [message, copy] = [join(folder, 'message'), join(folder, 'copy')];
    await writeFile(message, someBytes(2_000_000));
    const topic = ['-i', 'device', '-t', `large/${kind.port}`];
    // What stands behind the id in CONNECT.
    const login = ['-u', 'user', '-P', 'secret', '--will-topic', 'gone', '--will-payload', 'gone'];

    // The broker gives up a client when another one comes with its id, and with it what it has not read yet: let it confirm.
    const publish = [...topic, ...login, '-q', '1', '-r', '-f', message];
    await runOrFail('mosquitto_pub', [...optionsOf(kind), ...publish]);
    const subscribe = ['mosquitto_sub', ...optionsOf(kind), ...topic, '-N', '-C', '1', '-W', '30'];
    await runOrFail('sh', ['-c', `"$@" > ${copy}`, 'sh', ...subscribe]);

    expect((await readFile(copy)).equals(await readFile(message))).toBe(true);
  });

  test('may send its first packets in one piece, or byte by byte', async () => {
    const device = '10 12 0004 4d515454 04 02 003c 0006 646576696365';
    const subscription = '82 0b 0001 0006 62726f6b6572 00';
    const bytes = Buffer.from(`${device}${subscription}`.replaceAll(' ', ''), 'hex');
    const name = (await brokerOf(level4, '-i', 'device')).trim();
    const publication = Buffer.from(`310${(8 + name.length).toString(16)}000662726f6b6572`, 'hex');
    const expected = Buffer.concat([
      Buffer.from('200200009003000100', 'hex'),
      publication,
      Buffer.from(name),
    ]);

    for (const pieces of [[bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
      expect(await converse(level4.port, pieces, expected.length)).toEqual(expected);
    }
  });
});

// Each at a port of its own: of those at one port, one is logged in a second.
describe('refused, with the reason in the error log, is', () => {
  test.each([
    ['another level', 'mqttv311', () => level5OverTls, 'expect protocol level: 5, but got 4'],
    ['another name', 'mqttv31', () => level5, 'expect protocol name: MQTT, but got MQIsdp'],
  ] as const)('a client of %s', async (_, version, expected, reason) => {
    const client = optionsOf({ ...expected(), version });
    const { status } = await runCommand('mosquitto_pub', [...client, '-t', 'a', '-m', 'b']);

    expect(status).not.toBe(0);
    await untilLogged(reason);
  });

  test('a client of another protocol', async () => {
    const { status, stdout } = await runCommand('curl', ['-s', `http://127.0.0.1:${level3.port}/`]);

    expect(stdout).toBe('');
    expect(status).not.toBe(0);
    await untilLogged('Received unexpected MQTT packet type+flags: 71');
  });

  test('one that leaves in the middle', async () => {
    const client = connect({ port: level4.port, host: '127.0.0.1', allowHalfOpen: true });
    client.end(Buffer.from('100f00044d', 'hex'));
    const [closed] = await Promise.all([once(client.resume(), 'end'), once(client, 'close')]);

    expect(closed).toEqual([]);
    await untilLogged('failed to parse mqtt request, expect len: 8 but got 5');
  });

  test('a datagram', async () => {
    const client = createSocket('udp4');
    client.send(Buffer.from('100f00044d5154540402003c0003666f6f', 'hex'), datagramPort, '127.0.0.1');

    await untilLogged('expect MQTT over TCP, but got a datagram');
    client.close();
  });
});

test('a route is refused whose plugin does not say the level', async () => {
  expect(await gateway.admin('PUT', '/stream_routes/wrong', { plugins: { 'mqtt-proxy': {} } })).toMatchObject(
    {
      status: 400,
      body: {
        error_msg:
          'failed to check the configuration of stream plugin [mqtt-proxy]: property "protocol_level" is required',
      },
    },
  );
});

/** Sends the pieces one after the other, and closes when so many bytes have come back. */
async function converse(port: number, pieces: readonly Uint8Array[], length: number): Promise<Buffer> {
  const client = connect({ port, host: '127.0.0.1', noDelay: true });
  for (const piece of pieces) {
    await new Promise<void>((resolve, reject) => {
      client.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
  const received: Buffer[] = [];
  for await (const chunk of client) {
    received.push(chunk);
    if (Buffer.concat(received).length >= length) break;
  }
  return Buffer.concat(received);
}
