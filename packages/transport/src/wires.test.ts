import { testWires } from '@apisix-ts/core/contract';
import type { WirePair } from '@apisix-ts/core/contract';
import { TimerWheel } from '@apisix-ts/core';
import type { Wire } from '@apisix-ts/core';
import { connectPeer, openServer } from '@apisix-ts/testkit';
import { onTestFinished } from 'vitest';
import type { WireDriver } from './driver.ts';
import { createHandleDriver } from './handle/handle-driver.ts';
import { createSocketDriver } from './socket/socket-driver.ts';
import { systemClock } from './system-clock.ts';

const wheel = new TimerWheel(systemClock);
const handleDriver = createHandleDriver(wheel);
if (handleDriver === undefined) throw new Error('this Node has no TCP handles: the tests of them cannot run');

for (const driver of [handleDriver, createSocketDriver(wheel)]) {
  testWires(`accepted by the ${driver.name} driver`, () => accept(driver));
  testWires(`dialed by the ${driver.name} driver`, () => dial(driver));
}

async function accept(driver: WireDriver): Promise<WirePair> {
  const accepted = Promise.withResolvers<Wire>();
  const listener = await driver.listen(
    { host: '127.0.0.1', port: 0 },
    { onWire: accepted.resolve, onAcceptError: accepted.reject },
  );
  const peer = await connectPeer(listener.port);
  const wire = await accepted.promise;
  onTestFinished(() => {
    listener.close();
    wire.close();
    peer.destroy();
  });
  return { wire, peer };
}

async function dial(driver: WireDriver): Promise<WirePair> {
  const server = await openServer();
  const dialed = Promise.withResolvers<Wire>();
  driver.dial(
    { address: server.host, port: server.port, connectTimeoutMs: 5000 },
    { onWire: dialed.resolve, onFailure: dialed.reject },
  );
  const peer = await server.accept();
  const wire = await dialed.promise;
  onTestFinished(() => {
    wire.close();
    return server.close();
  });
  return { wire, peer };
}
