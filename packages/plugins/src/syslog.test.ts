import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { openServer } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { syslog } from './syslog.ts';
import { compilePlugin, faultOf, testSession } from './testing/plugin-scene.ts';

const server = { host: '127.0.0.1', port: 514 };

test.for([
  [{}, 'property "host" is required'],
  [{ host: '127.0.0.1' }, 'property "port" is required'],
  [{ ...server, port: 0 }, 'property "port" validation failed: expected 0 to be at least 1'],
  [
    { ...server, sock_type: 'unix' },
    'property "sock_type" validation failed: matches none of the enum values',
  ],
  [{ ...server, pool_size: 4 }, 'property "pool_size" validation failed: expected 4 to be at least 5'],
  [{ ...server, sock_type: 'udp', tls: true }, 'property "tls" takes property "sock_type" to be "tcp"'],
  [{ ...server, more: 1 }, undefined],
] as const)('of %j is said: %s', ([configuration, message]) => {
  expect(faultOf(syslog, configuration)).toBe(message);
});

const session = testSession({
  serviceId: 's',
  variable: (name) => (name === 'remote_addr' ? '192.0.2.1' : undefined),
});

/** What a server gets of the session from a configuration. */
async function lineOf(configuration: object, metadata?: object): Promise<string> {
  const { promise: received, resolve } = Promise.withResolvers<string>();
  const receiver = createServer((socket) => resolve(text(socket))).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  onTestFinished(() => void receiver.close());
  const { port } = receiver.address() as AddressInfo; // it listens on TCP
  const handlers = compilePlugin(syslog, { host: '127.0.0.1', port, ...configuration }, { metadata });

  handlers.log?.(session);
  await handlers.close?.();

  return received;
}

test('a line is as RFC 5424 has it, with the ids of route and service', async () => {
  const line = await lineOf({ log_format: { client: '$remote_addr', absent: '$absent' } });

  expect(line).toMatch(
    new RegExp(
      String.raw`^<46>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - apisix ${process.pid} - - ` +
        String.raw`\{"client":"192\.0\.2\.1","route_id":"1","service_id":"s"\}\n$`,
    ),
  );
});

test.for([
  [{ log_format: { own: '1' } }, { log_format: { general: '1' } }, 'own'],
  [{}, { log_format: { general: '1' } }, 'general'],
] as const)('%j with the metadata %j has %s', async ([configuration, metadata, name]) => {
  expect(await lineOf(configuration, metadata)).toContain(`{"${name}":"1",`);
});

test.for([{}, { metadata: {} }])(
  'without a format that is told once, and nothing is sent: %j',
  async (host) => {
    const told: string[] = [];
    const receiver = await openServer();
    onTestFinished(() => receiver.close());
    const handlers = compilePlugin(
      syslog,
      { host: receiver.host, port: receiver.port, batch_max_size: 1 },
      { ...host, log: (level, message) => void told.push(`${level}: ${message}`) },
    );

    handlers.log?.(session);
    handlers.log?.(session);
    await handlers.close?.();

    expect(told).toEqual(["error: syslog's log_format is not set"]);
  },
);

test('what a server does not take is counted, and told of once', async () => {
  const told: unknown[] = [];
  const receiver = await openServer();
  await receiver.close();
  const handlers = compilePlugin(
    syslog,
    { host: receiver.host, port: receiver.port, name: 'mine', log_format: {} },
    { log: (_level, message, fields) => void told.push({ message, ...fields }) },
  );

  for (let index = 0; index < 10; index += 1) handlers.log?.(session);
  await handlers.close?.();

  expect(told).toEqual([
    {
      message: 'log entries are lost',
      logger: 'mine',
      server: `127.0.0.1:${receiver.port}`,
      entries: 10,
      reason: expect.stringContaining('ECONNREFUSED'),
    },
  ]);
});
