/** The backend: sends back what comes, and closes after a message that begins with `q`. Prints its port. */
import { TimerWheel } from '@apisix-ts/core';
import type { Wire, WireHandler } from '@apisix-ts/core';
import { createHandleDriver, systemClock } from '@apisix-ts/transport';

const quit = 'q'.charCodeAt(0);

class Echo implements WireHandler {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
    wire.handler = this;
    wire.resume();
  }

  onData(view: Uint8Array): void {
    if (!this.#wire.write(view)) this.#wire.pause();
    if (view[0] === quit) this.#wire.end();
  }

  onWritten(): void {
    this.#wire.resume();
  }

  onEnd(): void {
    this.#wire.end();
  }

  onClosed(): void {}
}

const driver = createHandleDriver(new TimerWheel(systemClock));
const listener = await driver?.listen(
  { host: '127.0.0.1', port: 0, backlog: 4096 },
  { onWire: (wire) => new Echo(wire), onAcceptError() {} },
);
process.stdout.write(`${listener?.port}\n`);
