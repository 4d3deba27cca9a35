import { FlowTable } from '@apisix-ts/core';
import type { TimerWheel } from '@apisix-ts/core';
import { isWildcard, listenForDatagrams, localAddresses, systemClock } from '@apisix-ts/transport';
import type { AddressOptions, Listener } from '@apisix-ts/transport';
import type { Log } from '../log.ts';
import type { ListenerSpec } from '../workers/worker-link.ts';
import { DatagramSession } from './datagram-session.ts';
import type { DatagramContext } from './datagram-session.ts';

export interface DatagramPlaneOptions {
  /** Of the worker. */
  readonly index: number;
  /** Listeners share their port with those of other workers. */
  readonly reusePort: boolean;
  /** Sessions at a time; one more ends the one that has been idle longest. */
  readonly sessions: number;
  readonly wheel: TimerWheel;
  readonly log: Log;
  /** The last session ended. */
  readonly onIdle: () => void;
}

/** Sockets that one worker has for single addresses of wildcard listeners: ports × addresses of the machine. */
const MOST_ADDRESS_SOCKETS = 2048;

/** How long a session may be idle while the worker drains: for an answer that is under way. Milliseconds. */
const DRAIN_IDLE_MS = 2000;

interface OpenListener {
  readonly spec: ListenerSpec;
  readonly socket: Listener;
  readonly addressSockets: number;
}

/** The UDP half of a data plane. */
export class DatagramPlane {
  readonly #options: DatagramPlaneOptions;
  readonly #flows: FlowTable;
  readonly #listeners = new Map<string, OpenListener>();
  /** Hosts by port, of all listeners that are open or opening. */
  #hosts = new Map<number, ReadonlySet<string>>();
  #sessions = 0;

  constructor(options: DatagramPlaneOptions) {
    this.#options = options;
    const { wheel, sessions: limit } = options;
    this.#flows = new FlowTable({ wheel, limit });
  }

  /** Sessions that are open. */
  get size(): number {
    return this.#sessions;
  }

  /** Closes the listeners that are not among these, with their sessions. */
  keepOnly(specs: readonly ListenerSpec[]): void {
    const wanted = new Set(specs.map((spec) => spec.name));
    for (const [name, { socket }] of this.#listeners) {
      if (wanted.has(name)) continue;
      socket.close();
      this.#listeners.delete(name);
    }
    this.#hosts = hostsByPort(specs);
  }

  /** One that is open already is left alone. @throws GatewayError `LISTENER_*`. */
  open(spec: ListenerSpec, context: Omit<DatagramContext, 'flows' | 'onOpened' | 'onEnded'>): void {
    const { name, host, port } = spec;
    if (this.#listeners.has(name)) return;
    const { reusePort, log } = this.#options;
    const shared: DatagramContext = {
      ...context,
      flows: this.#flows,
      onOpened: () => void (this.#sessions += 1),
      onEnded: () => {
        this.#sessions -= 1;
        if (this.#sessions === 0) this.#options.onIdle();
      },
    };
    const addresses = this.#addressesOf(spec);
    const socket = listenForDatagrams(
      { host, port, reusePort, ...(addresses === undefined ? {} : { addresses: addresses.options }) },
      {
        onPort: (each) => this.#flows.attach(each, (flow) => new DatagramSession(flow, spec, shared)),
        onReceiveError: (error) => {
          log('error', 'datagrams cannot be received', {
            listener: name,
            code: error.code,
            reason: error.message,
          });
        },
      },
    );
    this.#listeners.set(name, { spec, socket, addressSockets: addresses?.count ?? 0 });
  }

  /** No new clients; sessions end soon after their last datagram. The sockets stay, for the answers. */
  drain(): void {
    this.#flows.drain(DRAIN_IDLE_MS);
  }

  /** Ends every session. */
  cut(): void {
    this.#flows.close('SESSION_CLOSED_BY_SHUTDOWN');
  }

  closeListeners(): void {
    this.keepOnly([]);
  }

  /** Sockets for single addresses, unless there would be too many. */
  #addressesOf({ name, host, port }: ListenerSpec): { options: AddressOptions; count: number } | undefined {
    if (!isWildcard(host) || process.platform !== 'linux') return undefined;
    const { index, log } = this.#options;
    const count = localAddresses(host.includes(':') ? 6 : 4).length;
    const others = [...this.#listeners.values()].reduce((sum, each) => sum + each.addressSockets, 0);
    if (others + count > MOST_ADDRESS_SOCKETS) {
      log('warn', 'too many UDP ports and addresses: the system chooses the address of replies', {
        listener: name,
        worker: index,
      });
      return undefined;
    }
    const options: AddressOptions = {
      clock: systemClock,
      takesRest: index === 0,
      isTaken: (address) => this.#hosts.get(port)?.has(address) === true,
    };
    return { options, count };
  }
}

function hostsByPort(specs: readonly ListenerSpec[]): Map<number, ReadonlySet<string>> {
  const hosts = new Map<number, Set<string>>();
  for (const { host, port } of specs) {
    const known = hosts.get(port) ?? new Set();
    hosts.set(port, known.add(host));
  }
  return hosts;
}
