import type { Wire, WireError, WireHandler } from '@apisix-ts/core';
import type { WireDriver } from './driver.ts';

/** Loopback answers in microseconds; this long without one means that a callback never came. */
const patienceMs = 2000;

/**
 * Tries a driver on loopback: accepting, both directions, backpressure, half-close and reset. Takes a few milliseconds.
 * @returns undefined if all went as the wire contract says, else what did not.
 */
export async function selfTest(driver: WireDriver): Promise<string | undefined> {
  const opened: { close(): void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, patienceMs, 'no answer on loopback');
  });
  try {
    return await Promise.race([tryDriver(driver, opened), patience]);
  } catch (error) {
    return String(error);
  } finally {
    clearTimeout(timer);
    for (const thing of opened) thing.close();
  }
}

async function tryDriver(driver: WireDriver, opened: { close(): void }[]): Promise<string | undefined> {
  const { client, server } = await openPair(driver, opened);
  client.wire.keepAlive(60);
  // The second direction runs after the first one's FIN: half-closed.
  const fault = (await tryDirection(client, server)) ?? (await tryDirection(server, client));
  if (fault !== undefined) return fault;
  if ((await client.closed) !== undefined || (await server.closed) !== undefined) {
    return 'two ends were not taken for a close in order';
  }
  const broken = await openPair(driver, opened);
  broken.server.wire.resume();
  broken.client.wire.reset();
  const told = await Promise.race([broken.server.closed, broken.server.ended]);
  return told?.kind === 'reset' ? undefined : 'a reset was not told';
}

/** Writes until the paused receiver's backpressure is felt, then lets it all through. */
async function tryDirection(from: Ear, to: Ear): Promise<string | undefined> {
  let sent = 0;
  let isTaken = true;
  while (isTaken && sent < mostBytes) {
    isTaken = from.wire.write(pattern);
    sent += pattern.length;
  }
  if (isTaken) return 'a write to a stalled reader never had to wait';
  if (to.received > 0) return 'a paused wire delivered';
  to.wire.resume();
  await from.written;
  from.wire.end();
  await to.ended;
  if (to.isGarbled) return 'bytes arrived out of order';
  return to.received === sent ? undefined : `${sent} bytes were sent and ${to.received} arrived`;
}

/** Every byte tells its place, modulo 256. */
const pattern: Uint8Array = Uint8Array.from({ length: 1 << 18 }, (_, index) => index);
/** More than the buffers of any kernel hold for one loopback connection. */
const mostBytes = 1 << 28;

async function openPair(
  driver: WireDriver,
  opened: { close(): void }[],
): Promise<{ client: Ear; server: Ear }> {
  const accepted = Promise.withResolvers<Ear>();
  const dialed = Promise.withResolvers<Ear>();
  const listener = await driver.listen(
    { host: '127.0.0.1', port: 0 },
    { onWire: (wire) => accepted.resolve(new Ear(wire)), onAcceptError: accepted.reject },
  );
  opened.push(listener);
  driver.dial(
    { address: '127.0.0.1', port: listener.port, connectTimeoutMs: patienceMs },
    { onWire: (wire) => dialed.resolve(new Ear(wire)), onFailure: dialed.reject },
  );
  const [server, client] = await Promise.all([accepted.promise, dialed.promise]);
  opened.push(server.wire, client.wire);
  return { server, client };
}

/** Hears one wire. */
class Ear implements WireHandler {
  readonly wire: Wire;
  readonly written: Promise<void>;
  readonly ended: Promise<undefined>;
  readonly closed: Promise<WireError | undefined>;
  readonly onWritten: () => void;
  readonly onClosed: (error: WireError | undefined) => void;
  received = 0;
  isGarbled = false;
  readonly #hasEnded: (value: undefined) => void;

  constructor(wire: Wire) {
    this.wire = wire;
    ({ promise: this.written, resolve: this.onWritten } = Promise.withResolvers<void>());
    ({ promise: this.ended, resolve: this.#hasEnded } = Promise.withResolvers<undefined>());
    ({ promise: this.closed, resolve: this.onClosed } = Promise.withResolvers<WireError | undefined>());
    wire.handler = this;
  }

  onEnd(): void {
    this.#hasEnded(undefined);
  }

  onData(view: Uint8Array): void {
    const last = this.received + view.length - 1;
    if (view[0] !== this.received % 256 || view[view.length - 1] !== last % 256) this.isGarbled = true;
    this.received += view.length;
  }
}
