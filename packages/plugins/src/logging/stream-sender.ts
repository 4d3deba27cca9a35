import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { BatchSender } from './batches.ts';
import { Patience } from './patience.ts';

export interface StreamSenderOptions {
  /** A name or an ip literal. */
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls: StreamSenderTls | undefined;
  /** To connect, with the handshake, and to hand a batch to the system. Milliseconds, > 0. */
  readonly timeoutMs: number;
}

export interface StreamSenderTls {
  /** Of the authorities that are trusted, PEM, read for each connection; undefined: those that Node brings. */
  readonly caFile: string | undefined;
}

/** A connection that nothing was sent on for this long is closed. Milliseconds. */
const IDLE_MS = 60_000;

/** Sends batches over TCP or TLS, on a connection that is kept from one to the next. */
export class StreamSender implements BatchSender {
  readonly #options: StreamSenderOptions;
  readonly #patience: Patience;
  #socket: Socket | undefined;

  constructor(options: StreamSenderOptions) {
    this.#options = options;
    this.#patience = new Patience(options.timeoutMs);
  }

  async send(entries: readonly string[]): Promise<void> {
    const text = entries.join('');
    // That the server closed the one that was kept says nothing against a new one.
    if (this.#socket !== undefined && (await this.#write(this.#socket, text)) === undefined) return;
    const breakage = await this.#write(await this.#connect(), text);
    if (breakage !== undefined) throw breakage;
  }

  close(): void {
    this.#patience.giveUp();
    this.#drop();
  }

  async #connect(): Promise<Socket> {
    const { host, port, tls } = this.#options;
    const socket = tls === undefined ? connectTcp({ host, port }) : await this.#connectTls(tls);
    try {
      const ready = once(socket, tls === undefined ? 'connect' : 'secureConnect');
      await this.#patience.wait(ready, 'no connection');
    } catch (error) {
      socket.destroy();
      throw error;
    }
    const forget = (): void => {
      if (this.#socket === socket) this.#socket = undefined;
    };
    // What the server says is of no interest, but its end is. An error is followed by the close.
    socket.resume().once('end', forget).once('close', forget).on('error', forget);
    socket.setTimeout(IDLE_MS, () => socket.destroySoon());
    this.#socket = socket;
    return socket;
  }

  /** A name is asked for, and the certificate has to be for it, or for the address. */
  async #connectTls({ caFile }: StreamSenderTls): Promise<Socket> {
    const { host, port } = this.#options;
    const ca = caFile === undefined ? {} : { ca: await readFile(caFile) };
    return connectTls({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...ca,
    });
  }

  /** @returns how the connection broke, if it did. Rejects when the server takes nothing. */
  async #write(socket: Socket, text: string): Promise<Error | undefined> {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>();
    const onClose = (): void => resolve(new Error('the server closed the connection'));
    socket.once('close', onClose);
    socket.write(text, (error) => resolve(error ?? undefined));
    try {
      return await this.#patience.wait(promise, 'not all was taken');
    } catch (error) {
      this.#drop();
      throw error;
    } finally {
      socket.off('close', onClose);
    }
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}
