/**
 * Run with a low descriptor limit: fills it with connections to a listener of its own, waits while more knock, frees
 * some, and prints whether the listener serves again and how busy the wait was.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { TimerWheel } from '@apisix-ts/core';
import type { Wire } from '@apisix-ts/core';
import { createHandleDriver } from '../handle/handle-driver.ts';
import { createSocketDriver } from '../socket/socket-driver.ts';
import { systemClock } from '../system-clock.ts';

const wheel = new TimerWheel(systemClock);
const driver = process.argv[2] === 'handle' ? createHandleDriver(wheel) : createSocketDriver(wheel);
if (driver === undefined) throw new Error('no such driver');
const wires: Wire[] = [];
const listener = await driver.listen(
  { host: '127.0.0.1', port: 0 },
  { onWire: (wire) => wires.push(wire), onAcceptError: () => {} },
);

const clients: Socket[] = [];
for (let count = 0; count < 80; count += 1) {
  const client = connect(listener.port, '127.0.0.1');
  client.on('error', () => client.destroy());
  clients.push(client);
}
await wait(100);
const before = process.cpuUsage();
const waitMs = 500;
await wait(waitMs);
const { user, system } = process.cpuUsage(before);
const cpuShare = (user + system) / 1000 / waitMs;

for (const client of clients) client.destroy();
for (const wire of wires) wire.close();
await wait(50);
wires.length = 0;
const client = connect(listener.port, '127.0.0.1');
await once(client, 'connect');
while (wires.length === 0) await wait(5);
process.stdout.write(
  JSON.stringify({ isServingAgain: wires.length === 1, cpuShare: cpuShare < 0.5 ? 0 : cpuShare }),
);
process.exit();
