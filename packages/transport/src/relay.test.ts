import { testRelay } from '@apisix-ts/core/contract';
import type { RelayEnds, RelayHarness } from '@apisix-ts/core/contract';
import { TimerWheel } from '@apisix-ts/core';
import type { Wire } from '@apisix-ts/core';
import { connectPeer, countDescriptors, FakeClock, openServer } from '@apisix-ts/testkit';
import { afterAll, onTestFinished } from 'vitest';
import type { Listener, WireDriver } from './driver.ts';
import { createHandleDriver } from './handle/handle-driver.ts';
import { createSocketDriver } from './socket/socket-driver.ts';
import { systemClock } from './system-clock.ts';
import { portBehind } from './testing/port-behind.ts';

const wheel = new TimerWheel(systemClock);
const handles = createHandleDriver(wheel);
if (handles === undefined) throw new Error('this Node has no TCP handles: the tests of them cannot run');
const sockets = createSocketDriver(wheel);

testRelay('handle to handle', await createHarness(handles, handles));
testRelay('socket to socket', await createHarness(sockets, sockets));
testRelay('handle to socket', await createHarness(handles, sockets));
testRelay('socket to handle', await createHarness(sockets, handles));

/** Clients are accepted by one driver, and the server is dialed by the other. */
async function createHarness(accepting: WireDriver, dialing: WireDriver): Promise<RelayHarness> {
  const server = await openServer();
  const gate = await openGate(accepting);
  afterAll(() => {
    gate.listener.close();
    return server.close();
  });
  return {
    async open(toxic) {
      const clientPort = await portBehind(gate.listener.port, toxic, 'client');
      const serverPort = await portBehind(server.port, toxic, 'server');
      const client = await connectPeer(clientPort);
      const downstream = await gate.next();
      const upstream = await dial(dialing, serverPort);
      const ends: RelayEnds = { client, downstream, upstream, server: await server.accept() };
      onTestFinished(() => {
        downstream.close();
        upstream.close();
        client.destroy();
      });
      return ends;
    },
    createClock: () => new FakeClock(),
    countDescriptors,
  };
}

async function openGate(driver: WireDriver): Promise<{ listener: Listener; next: () => Promise<Wire> }> {
  const waiting: ((wire: Wire) => void)[] = [];
  const accepted: Wire[] = [];
  const listener = await driver.listen(
    { host: '127.0.0.1', port: 0 },
    {
      onWire(wire) {
        const take = waiting.shift();
        if (take === undefined) accepted.push(wire);
        else take(wire);
      },
      onAcceptError(error) {
        throw error;
      },
    },
  );
  const next = (): Promise<Wire> =>
    new Promise((resolve) => {
      const wire = accepted.shift();
      if (wire === undefined) waiting.push(resolve);
      else resolve(wire);
    });
  return { listener, next };
}

function dial(driver: WireDriver, port: number): Promise<Wire> {
  return new Promise((resolve, reject) => {
    driver.dial(
      { address: '127.0.0.1', port, connectTimeoutMs: 5000 },
      { onWire: resolve, onFailure: reject },
    );
  });
}
