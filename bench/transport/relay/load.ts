/**
 * The clients: `node load.ts <port> <turns|connections|bulk> <milliseconds> <connections> <message bytes>`. Each sends a
 * message, waits for it to come back, and sends it again; as `connections`, the backend closes after one message, and
 * the client connects anew. Prints what was done, and stops by itself.
 */
import { TimerWheel } from '@apisix-ts/core';
import type { Wire, WireHandler } from '@apisix-ts/core';
import { createHandleDriver, systemClock } from '@apisix-ts/transport';

const [port = 0, , durationMs = 0, count = 0, size = 0] = process.argv.slice(2).map(Number);
const mode = process.argv[3] ?? '';
const isOnce = mode === 'connections';
const message = Buffer.alloc(size, isOnce ? 'q' : 'm');
const driver = createHandleDriver(new TimerWheel(systemClock));
const startMs = performance.now();
const endMs = startMs + durationMs;
let operations = 0;
let bytes = 0;
let failures = 0;
let open = 0;

class Client implements WireHandler {
  #wire: Wire | undefined;
  #left = 0;

  onWire(wire: Wire): void {
    this.#wire = wire;
    wire.handler = this;
    wire.resume();
    this.#send();
  }

  onFailure(): void {
    failures += 1;
    connectAgain();
  }

  onData(view: Uint8Array): void {
    bytes += view.length;
    this.#left -= view.length;
    if (this.#left > 0) return;
    operations += 1;
    if (isOnce) return;
    if (performance.now() < endMs) this.#send();
    else this.#wire?.close();
  }

  onWritten(): void {}

  onEnd(): void {
    this.#wire?.end();
  }

  onClosed(error: unknown): void {
    if (error !== undefined) failures += 1;
    connectAgain();
  }

  #send(): void {
    this.#left += size;
    this.#wire?.write(message);
  }
}

function connectAgain(): void {
  open -= 1;
  if (performance.now() < endMs) connectOne();
  else if (open === 0) finish();
}

function connectOne(): void {
  open += 1;
  driver?.dial({ address: '127.0.0.1', port, connectTimeoutMs: 10_000 }, new Client());
}

function finish(): void {
  const seconds = (performance.now() - startMs) / 1000;
  process.stdout.write(JSON.stringify({ operations, bytes, failures, seconds }));
  process.exit();
}

for (let index = 0; index < count; index += 1) connectOne();
