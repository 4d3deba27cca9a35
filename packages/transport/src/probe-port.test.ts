import { createServer } from 'node:net';
import { once } from 'node:events';
import { isGatewayError } from '@apisix-ts/errors';
import { openServer } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { probePort } from './probe-port.ts';

test('a free port is free, and free again after the probe', async () => {
  const server = await openServer();
  await server.close();

  await probePort('127.0.0.1', server.port);
  await probePort('127.0.0.1', server.port);
});

test('a port that somebody listens on is not', async () => {
  const server = await openServer();
  onTestFinished(() => server.close());

  await expect(probePort('127.0.0.1', server.port)).rejects.toSatisfy((error) =>
    isGatewayError(error, 'LISTENER_PORT_IN_USE'),
  );
  await expect(probePort('0.0.0.0', server.port)).rejects.toMatchObject({ code: 'LISTENER_PORT_IN_USE' });
});

test('nor is one whose listener would share it', async () => {
  const server = createServer().listen({ host: '127.0.0.1', port: 0, reusePort: true });
  onTestFinished(() => {
    server.close();
  });
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  await expect(probePort('127.0.0.1', port)).rejects.toMatchObject({
    code: 'LISTENER_PORT_IN_USE',
    detail: { host: '127.0.0.1', port, errno: 'EADDRINUSE' },
  });
});
