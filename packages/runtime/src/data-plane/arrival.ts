import type { ClientHello, IpAddresses, PeekBuffer, TimerWheel, Wire } from '@apisix-ts/core';
import { SocketWire } from '@apisix-ts/transport';
import type { TlsAccept, TlsAcceptor } from '@apisix-ts/transport';
import { HeadReader, needsHead } from './head-reader.ts';
import type { ListenerHeads } from './head-reader.ts';
import { reasonOf } from './session-reason.ts';
import type { SessionReason } from './session-reason.ts';

/** What stands between an accepted connection and its payload. */
export interface Gate {
  readonly heads: ListenerHeads;
  /** Terminates TLS; undefined on a plain listener. */
  readonly tls: TlsAcceptor | undefined;
}

export interface ArrivalEvents {
  /** Asked on a listener that both terminates TLS and passes it on, when the ClientHello was read: does this one go on? */
  isPassedOn(): boolean;
  /** Asked when TLS ends here, before the handshake: which application protocol of those offered is agreed on. */
  chooseProtocol(): string | undefined;
  /**
   * The payload comes next.
   * @param wire the accepted one, or the one within TLS; paused.
   * @param payload where the heads were read, and what came with them; undefined: nothing of the payload was read.
   */
  onArrived(wire: Wire, payload: PeekBuffer | undefined): void;
  /**
   * The session ends here.
   * @param isGone the connection is closed already.
   * @param detail OpenSSL's or the system's name for it.
   */
  onRefused(reason: SessionReason, isGone: boolean, detail?: string): void;
}

/** Whether anything stands before the payload. */
export function mustArrive({ heads, tls }: Gate): boolean {
  return tls !== undefined || needsHead(heads.options);
}

/** Brings a connection to its payload: reads its heads, then terminates TLS, as far as the listener asks for either. */
export class Arrival {
  readonly #accepted: Wire;
  readonly #gate: Gate;
  readonly #events: ArrivalEvents;
  readonly #head: HeadReader;
  #handshake: TlsAccept | undefined;
  #hello: ClientHello | undefined;
  #tlsServerName: string | undefined;

  constructor(accepted: Wire, gate: Gate, wheel: TimerWheel, events: ArrivalEvents) {
    this.#accepted = accepted;
    this.#gate = gate;
    this.#events = events;
    this.#head = new HeadReader(accepted, gate.heads, wheel, {
      onRead: () => this.#onHead(),
      onRefused: (reason, isGone) => events.onRefused(reason, isGone),
    });
  }

  /** What a PROXY header says, believed or not; undefined: there is none, or it names no addresses. */
  get proxied(): IpAddresses | undefined {
    return this.#head.proxied;
  }

  /** The client as a believed PROXY header has it; undefined is the peer itself. */
  get source(): { readonly address: string; readonly port: number } | undefined {
    return this.#head.source;
  }

  /** What the client asked for in TLS, or what stands in for it; undefined without TLS or without a name. */
  get serverName(): string | undefined {
    return this.#tlsServerName ?? this.#head.hello?.serverName;
  }

  /** The application protocols that the client offers in TLS; undefined without TLS. */
  get alpn(): readonly string[] | undefined {
    return (this.#hello ?? this.#head.hello)?.alpn;
  }

  start(): void {
    this.#head.start();
  }

  /** Gives up without an event. @returns whether that closed the connection. */
  cancel(): boolean {
    this.#head.cancel();
    this.#handshake?.cancel();
    return this.#handshake !== undefined;
  }

  #onHead(): void {
    const { tls, heads } = this.#gate;
    if (tls === undefined || (heads.options.tlsPassthrough && this.#events.isPassedOn())) {
      this.#events.onArrived(this.#accepted, this.#head.buffer);
      return;
    }
    if (!(this.#accepted instanceof SocketWire)) throw new TypeError('a TLS listener accepts sockets');
    this.#handshake = tls.accept(
      this.#accepted,
      {
        onClientHello: (hello, serverName) => {
          this.#hello = hello;
          this.#tlsServerName = serverName;
          return this.#events.chooseProtocol();
        },
        onWire: (wire) => {
          this.#handshake = undefined;
          this.#events.onArrived(wire, undefined);
        },
        onFailure: ({ code, detail }) => {
          this.#handshake = undefined;
          this.#events.onRefused(reasonOf(code), true, String(detail['reason']));
        },
      },
      this.#head.buffer.takeHead(),
    );
  }
}
