import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { BatchSender } from './batches.ts';
import { Patience } from './patience.ts';

export interface DatagramSenderOptions {
  /** A name or an ip literal. */
  readonly host: string;
  readonly port: number;
  /** To look up the name, and to hand a datagram to the system. Milliseconds, > 0. */
  readonly timeoutMs: number;
}

/** How long the address of a name is used. Milliseconds. */
const ADDRESS_MS = 60_000;

/** Sends each entry of a batch in a datagram. That nobody listens there is found out with the next one, if at all. */
export class DatagramSender implements BatchSender {
  readonly #options: DatagramSenderOptions;
  readonly #patience: Patience;
  #socket: Socket | undefined;
  #openedMs = 0;

  constructor(options: DatagramSenderOptions) {
    this.#options = options;
    this.#patience = new Patience(options.timeoutMs);
  }

  async send(entries: readonly string[]): Promise<void> {
    if (performance.now() - this.#openedMs > ADDRESS_MS) this.#drop();
    try {
      const socket = this.#socket ?? (await this.#patience.wait(this.#open(), 'no address'));
      for (const entry of entries) await this.#patience.wait(sendOne(socket, entry), 'not all was taken');
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  close(): void {
    this.#patience.giveUp();
    this.#drop();
  }

  async #open(): Promise<Socket> {
    const { host, port } = this.#options;
    const { address, family } = await lookup(host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      socket.connect(port, address);
      await once(socket, 'connect');
    } catch (error) {
      socket.close();
      throw error;
    }
    // That nobody listens is told of something that was sent before.
    socket.on('error', () => this.#drop());
    socket.unref();
    this.#socket = socket;
    this.#openedMs = performance.now();
    return socket;
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}

function sendOne(socket: Socket, entry: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(entry, (error) => (error === null ? resolve() : reject(error)));
  });
}
