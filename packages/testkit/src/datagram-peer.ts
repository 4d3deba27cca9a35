import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

export interface Datagram {
  readonly bytes: Buffer;
  /** Of the sender. */
  readonly address: string;
  readonly port: number;
}

export interface DatagramPeerOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Default: the system chooses. */
  readonly port?: number;
  /** Default: nothing, what arrives waits for `take`. */
  readonly onDatagram?: (datagram: Datagram, peer: DatagramPeer) => void;
}

/** A UDP socket of a test. */
export class DatagramPeer {
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #waiting: Datagram[] = [];
  readonly #takers: ((datagram: Datagram) => void)[] = [];
  #isClosed = false;

  static async open(options: DatagramPeerOptions = {}): Promise<DatagramPeer> {
    const { host = '127.0.0.1', port = 0 } = options;
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    // So that a burst of a test does not overflow it while the test is busy elsewhere.
    socket.setRecvBufferSize(1_048_576);
    return new DatagramPeer(socket, options.onDatagram);
  }

  private constructor(socket: Socket, onDatagram: DatagramPeerOptions['onDatagram']) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.host = address;
    this.port = port;
    socket.on('message', (bytes, sender) => {
      const datagram = { bytes, address: sender.address, port: sender.port };
      if (onDatagram !== undefined) onDatagram(datagram, this);
      else this.#deliver(datagram);
    });
  }

  /** Settles when the system has taken it. */
  send(bytes: Uint8Array | string, port: number, address = '127.0.0.1'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, port, address, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** To everyone on a network. */
  sendBroadcast(bytes: Uint8Array | string, port: number, address: string): Promise<void> {
    this.#socket.setBroadcast(true);
    return this.send(bytes, port, address);
  }

  /** Sends, and takes the next datagram. */
  async ask(bytes: Uint8Array | string, port: number, address = '127.0.0.1'): Promise<Datagram> {
    await this.send(bytes, port, address);
    return this.take();
  }

  /** The next datagram that nobody took yet. */
  take(): Promise<Datagram> {
    const datagram = this.#waiting.shift();
    if (datagram !== undefined) return Promise.resolve(datagram);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** What has arrived and was not taken. */
  get waiting(): readonly Datagram[] {
    return this.#waiting;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #deliver(datagram: Datagram): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(datagram);
    else taker(datagram);
  }
}

/** Sends back every datagram, with `name` before it. */
export function openDatagramEcho(name = '', host = '127.0.0.1'): Promise<DatagramPeer> {
  return DatagramPeer.open({
    host,
    // What cannot be sent is lost, as in a network.
    onDatagram: ({ bytes, address, port }, peer) =>
      void peer.send(Buffer.concat([Buffer.from(name), bytes]), port, address).catch(() => {}),
  });
}
