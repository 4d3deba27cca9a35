import { FlowTable } from '@apisix-ts/core';
import type { TimerWheel } from '@apisix-ts/core';
import { findAddressesOnce, isWildcard, listenForDatagrams, systemClock } from '@apisix-ts/transport';
import type { AddressOptions, Listener } from '@apisix-ts/transport';
import type { Log } from '../log.ts';
import type { ListenerSpec } from '../workers/worker-link.ts';
import { DatagramSession } from './datagram-session.ts';
import type { DatagramContext } from './datagram-session.ts';
import type { OpenSession } from './open-session.ts';

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

/** What the listeners of a worker share, apart from what this plane adds. */
export type DatagramSurroundings = Omit<DatagramContext, 'flows' | 'onOpened' | 'onEnded'>;

interface OpenListener {
  readonly spec: ListenerSpec;
  readonly socket: Listener;
  /** For single addresses, when it was opened. */
  readonly addressSockets: number;
}

/** The UDP half of a data plane. */
export class DatagramPlane {
  readonly #options: DatagramPlaneOptions;
  readonly #flows: FlowTable;
  readonly #findAddresses = findAddressesOnce(systemClock);
  #context: DatagramContext | undefined;
  readonly #listeners = new Map<string, OpenListener>();
  /** Hosts by port, of all listeners that are open or opening. */
  #hosts = new Map<number, ReadonlySet<string>>();
  readonly #open = new Set<OpenSession>();
  #addressSockets = 0;

  constructor(options: DatagramPlaneOptions) {
    this.#options = options;
    const { wheel, sessions: limit } = options;
    this.#flows = new FlowTable({ wheel, limit });
  }

  /** Sessions that are open. */
  get open(): ReadonlySet<OpenSession> {
    return this.#open;
  }

  /** The listeners that are open. */
  get listeners(): readonly ListenerSpec[] {
    return Array.from(this.#listeners.values(), ({ spec }) => spec);
  }

  /** Closes the listeners that are not among these, with their sessions. */
  keepOnly(specs: readonly ListenerSpec[]): void {
    const wanted = new Set(specs.map((spec) => spec.name));
    for (const [name, { socket, addressSockets }] of this.#listeners) {
      if (wanted.has(name)) continue;
      socket.close();
      this.#addressSockets -= addressSockets;
      this.#listeners.delete(name);
    }
    this.#hosts = hostsByPort(specs);
  }

  /** One that is open already is left alone. @throws GatewayError `LISTENER_*`. */
  listen(spec: ListenerSpec, surroundings: DatagramSurroundings): void {
    const { name, host, port } = spec;
    if (this.#listeners.has(name)) return;
    const { reusePort, log } = this.#options;
    const context = this.#contextIn(surroundings);
    const addresses = this.#addressesOf(spec);
    const socket = listenForDatagrams(
      { host, port, reusePort, ...(addresses === undefined ? {} : { addresses: addresses.options }) },
      {
        onPort: (each) =>
          this.#flows.attach(
            each,
            (flow) => new DatagramSession(flow, spec, context),
            () => !context.table.drains.hasListener(spec),
          ),
        onReceiveError: (error) => {
          log('error', 'datagrams cannot be received', {
            listener: name,
            code: error.code,
            reason: error.message,
          });
        },
      },
    );
    const addressSockets = addresses?.count ?? 0;
    this.#addressSockets += addressSockets;
    this.#listeners.set(name, { spec, socket, addressSockets });
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

  #contextIn(surroundings: DatagramSurroundings): DatagramContext {
    return (this.#context ??= {
      ...surroundings,
      flows: this.#flows,
      onOpened: (session) => void this.#open.add(session),
      onEnded: (session) => {
        this.#open.delete(session);
        if (this.#open.size === 0) this.#options.onIdle();
      },
    });
  }

  /** Sockets for single addresses, unless there would be too many. */
  #addressesOf({ name, host, port }: ListenerSpec): { options: AddressOptions; count: number } | undefined {
    if (!isWildcard(host) || process.platform !== 'linux') return undefined;
    const { index, log } = this.#options;
    const count = this.#findAddresses(host.includes(':') ? 6 : 4).length;
    if (this.#addressSockets + count > MOST_ADDRESS_SOCKETS) {
      log('warn', 'too many UDP ports and addresses: the system chooses the address of replies', {
        listener: name,
        worker: index,
      });
      return undefined;
    }
    const options: AddressOptions = {
      clock: systemClock,
      takesRest: index === 0,
      find: this.#findAddresses,
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
