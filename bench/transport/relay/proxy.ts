/** A relay and nothing else: `node proxy.ts <handle|socket|pipe> <upstream port>`. Prints its port. */
import { connect, createServer } from 'node:net';
import { relay, TimerWheel } from '@apisix-ts/core';
import type { Wire } from '@apisix-ts/core';
import { createHandleDriver, createSocketDriver, systemClock } from '@apisix-ts/transport';
import type { DialHandler, WireDriver } from '@apisix-ts/transport';

const [kind = '', upstreamPort = ''] = process.argv.slice(2);
const wheel = new TimerWheel(systemClock);
const target = { address: '127.0.0.1', port: Number(upstreamPort), connectTimeoutMs: 60_000 };
const options = { wheel };

if (kind === 'pipe') servePipe();
else await serveWires(kind === 'handle' ? createHandleDriver(wheel) : createSocketDriver(wheel));

async function serveWires(driver: WireDriver | undefined): Promise<void> {
  if (driver === undefined) throw new Error(`no ${kind} driver here`);
  const { port } = await driver.listen(
    { host: '127.0.0.1', port: 0 },
    {
      onWire: (downstream) => driver.dial(target, new Joint(downstream)),
      onAcceptError(error) {
        throw error;
      },
    },
  );
  process.stdout.write(`${port}\n`);
}

class Joint implements DialHandler {
  readonly #downstream: Wire;

  constructor(downstream: Wire) {
    this.#downstream = downstream;
  }

  onWire(upstream: Wire): void {
    relay(this.#downstream, upstream, options, nothing);
  }

  onFailure(): void {
    this.#downstream.reset();
  }
}

function nothing(): void {}

/** What one would write without this package. */
function servePipe(): void {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (downstream) => {
    const upstream = connect({ ...target, host: target.address, allowHalfOpen: true, noDelay: true });
    downstream.on('error', () => upstream.resetAndDestroy());
    upstream.on('error', () => downstream.resetAndDestroy());
    downstream.pipe(upstream).pipe(downstream);
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => {
    const address = server.address();
    if (typeof address === 'object') process.stdout.write(`${address?.port}\n`);
  });
}
