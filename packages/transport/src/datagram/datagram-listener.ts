import type { DatagramPort, WheelClock } from '@apisix-ts/core';
import { isGatewayError, listenError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import type { Listener } from '../driver.ts';
import { localAddresses } from './local-addresses.ts';
import { SocketPort, bindSocket } from './socket-port.ts';

export interface DatagramListenOptions {
  /** An ip literal; `0.0.0.0` and `::` are every address of their family. */
  readonly host: string;
  /** 0 lets the system choose, not on a wildcard address with `addresses`; `Listener.port` has the answer. */
  readonly port: number;
  /** Share the port with other listeners that say so too: one a thread. Linux. Default false. */
  readonly reusePort?: boolean;
  /** On a wildcard address: how replies come from the address that was asked. Default: the system chooses the address. */
  readonly addresses?: AddressOptions;
}

/**
 * On a wildcard address the system does not tell Node which address a datagram was for. So each address of the machine gets
 * a socket of its own, which the kernel prefers (`SO_REUSEPORT`, Linux), and the wildcard one gets what is left: addresses
 * that have just come, or that no interface has, and broadcasts.
 */
export interface AddressOptions {
  /** Paces looking for new addresses, every five seconds. */
  readonly clock: WheelClock;
  /** Open the wildcard socket too: one thread's, because a broadcast comes to every such socket. */
  readonly takesRest: boolean;
  /** Does somebody else listen on this address at this port? */
  readonly isTaken: (address: string) => boolean;
  /** Default: those of the machine's interfaces. */
  readonly find?: (family: 4 | 6) => readonly string[];
}

export interface DatagramListenHandler {
  /** A socket was opened; the handler of the port is set within the call. */
  onPort(port: DatagramPort): void;
  /** Receiving failed, or an address that came later could not be listened on (`LISTENER_*`); the listener lives on. */
  onReceiveError(error: GatewayError): void;
}

/** How often the addresses of the machine are looked at. Milliseconds. */
const LOOK_MS = 5000;

/** @throws GatewayError `LISTENER_PORT_IN_USE`, `LISTENER_DENIED` or `LISTENER_FAILED`; nothing is left open then. */
export function listenForDatagrams(options: DatagramListenOptions, handler: DatagramListenHandler): Listener {
  const listener = new DatagramListener(options, handler);
  try {
    listener.open();
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

class DatagramListener implements Listener {
  readonly host: string;
  readonly #options: DatagramListenOptions;
  readonly #handler: DatagramListenHandler;
  /** By address; the wildcard too. */
  readonly #ports = new Map<string, SocketPort>();
  /** Addresses that could not be listened on, which has been told. */
  readonly #failing = new Set<string>();
  #port: number;
  #stopLooking: (() => void) | undefined;

  constructor(options: DatagramListenOptions, handler: DatagramListenHandler) {
    this.host = options.host;
    this.#port = options.port;
    this.#options = options;
    this.#handler = handler;
  }

  get port(): number {
    return this.#port;
  }

  open(): void {
    const { addresses } = this.#options;
    if (addresses === undefined) {
      this.#bind(this.host);
      return;
    }
    if (addresses.takesRest) this.#bind(this.host);
    for (const address of this.#wanted(addresses)) this.#bindPresent(address);
    this.#stopLooking = addresses.clock.every(LOOK_MS, () => this.#look(addresses));
  }

  close(): void {
    this.#stopLooking?.();
    for (const port of this.#ports.values()) port.close(undefined);
    this.#ports.clear();
  }

  /** Opens and closes sockets as addresses come and go. */
  #look(addresses: AddressOptions): void {
    const wanted = new Set(this.#wanted(addresses));
    for (const [address, port] of this.#ports) {
      if (address === this.host || wanted.has(address)) continue;
      this.#ports.delete(address);
      port.close('EADDRNOTAVAIL');
    }
    for (const address of wanted) {
      if (this.#ports.has(address)) continue;
      try {
        this.#bindPresent(address);
        this.#failing.delete(address);
      } catch (error) {
        if (!isGatewayError(error)) throw error;
        if (!this.#failing.has(address)) this.#handler.onReceiveError(error);
        this.#failing.add(address);
      }
    }
  }

  #wanted({ isTaken, find = localAddresses }: AddressOptions): readonly string[] {
    return find(this.host.includes(':') ? 6 : 4).filter((address) => !isTaken(address));
  }

  /** An address may be gone again, or not be usable yet while the system looks for duplicates of it: the next look will tell. */
  #bindPresent(address: string): void {
    try {
      this.#bind(address);
    } catch (error) {
      if (!isGatewayError(error) || error.detail['errno'] !== 'EADDRNOTAVAIL') throw error;
    }
  }

  #bind(address: string): void {
    const { reusePort = false, addresses } = this.#options;
    const socket = bindSocket(address, this.#port, reusePort || addresses !== undefined);
    this.#port = socket.address().port;
    const port = new SocketPort(socket, isWildcard(address) ? undefined : address);
    socket.on('error', (error) => {
      this.#handler.onReceiveError(listenError('the stream proxy', address, this.#port, error));
    });
    this.#ports.set(address, port);
    this.#handler.onPort(port);
  }
}
