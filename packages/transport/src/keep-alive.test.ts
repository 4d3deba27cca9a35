import { readFileSync } from 'node:fs';
import { TimerWheel } from '@apisix-ts/core';
import type { Wire } from '@apisix-ts/core';
import { FakeClock, connectPeer, openServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHandleDriver } from './handle/handle-driver.ts';
import { createSocketDriver } from './socket/socket-driver.ts';

describe.runIf(process.platform === 'linux').for([createHandleDriver, createSocketDriver])('%o', (create) => {
  test('lets the system ask a peer that is silent', async () => {
    const driver = create(new TimerWheel(new FakeClock()));
    if (driver === undefined) throw new Error('this Node has no TCP handles');
    const [server, accepted] = [await openServer(), Promise.withResolvers<Wire>()];
    const listener = await driver.listen(
      { host: '127.0.0.1', port: 0 },
      { onWire: accepted.resolve, onAcceptError: accepted.reject },
    );
    const dialed = new Promise<Wire>((resolve, reject) => {
      const target = { address: server.host, port: server.port, connectTimeoutMs: 5000 };
      driver.dial(target, { onWire: resolve, onFailure: reject });
    });
    const peer = await connectPeer(listener.port);
    const wires = [await accepted.promise, await dialed];
    onTestFinished(() => {
      for (const wire of wires) wire.close();
      peer.destroy();
      listener.close();
      return server.close();
    });
    expect(wires.map(keepAliveTimer)).toEqual([undefined, undefined]);

    for (const wire of wires) wire.keepAlive(77);

    for (const timer of wires.map(keepAliveTimer)) {
      expect(timer).toBeGreaterThan(60);
      expect(timer).toBeLessThanOrEqual(77);
    }
  });
});

/** Seconds until the system asks, as Linux tells it: `02:` and hundredths, hexadecimal. Undefined: it will not ask. */
function keepAliveTimer({ localPort, remotePort }: Wire): number | undefined {
  const ends = new RegExp(`:${hex(localPort)} [0-9A-F]{8}:${hex(remotePort)} 01 \\S+ (\\d\\d):([0-9A-F]+)`);
  const [, kind, hundredths] = ends.exec(readFileSync('/proc/net/tcp', 'latin1')) ?? [];
  if (hundredths === undefined) throw new Error('the system does not know this connection');
  return kind === '02' ? Number.parseInt(hundredths, 16) / 100 : undefined;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
