import { BlockList, isIPv6 } from 'node:net';
import { ClientHelloParser, PeekBuffer, ProxyHeaderParser } from '@apisix-ts/core';
import type { ClientHello, IpAddresses, PeekOutcome, ProxyHeader, TimerWheel, Wire } from '@apisix-ts/core';
import type { HeadOptions } from '../workers/worker-link.ts';
import type { SessionReason } from './session-reason.ts';

/** Longest PROXY header taken, and ClientHello with the records around it. Bytes. */
const PROXY_HEADER_BYTES = 4096;
const CLIENT_HELLO_BYTES = 70_000;
/** How long a client may take for either. Milliseconds; the reference's value. */
const HEAD_TIMEOUT_MS = 30_000;

/** What has to be read from clients of a listener, ready for use. */
export interface ListenerHeads {
  readonly options: HeadOptions;
  isTrusted(address: string): boolean;
}

export function compileHeads(options: HeadOptions): ListenerHeads {
  const trusted = new BlockList();
  for (const entry of options.trusted) {
    const [address = '', length] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (length === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(length), family);
  }
  return {
    options,
    isTrusted: (address) => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'),
  };
}

/** Whether a session needs its first bytes before it can be routed. Server-first protocols must not wait for any. */
export function needsHead({ proxyProtocol, tlsPassthrough }: HeadOptions): boolean {
  return proxyProtocol || tlsPassthrough;
}

export interface HeadEvents {
  /** All there was to read has been read; the wire is paused. */
  onRead(): void;
  /** The session ends here. @param isGone the connection is closed already. */
  onRefused(reason: SessionReason, isGone: boolean): void;
}

/** Reads what stands before the payload of a connection: a PROXY header, then, without using it up, a ClientHello. */
export class HeadReader {
  readonly #wire: Wire;
  readonly #heads: ListenerHeads;
  /** What was read and is no PROXY header belongs to the upstream. */
  readonly buffer: PeekBuffer;
  readonly #events: HeadEvents;
  /** What a PROXY header says, believed or not; undefined: there is none, or it names no addresses. */
  proxied: IpAddresses | undefined;
  /** The client as a believed PROXY header has it; undefined is the peer itself. */
  source: { readonly address: string; readonly port: number } | undefined;
  /** Undefined without TLS. */
  hello: ClientHello | undefined;

  constructor(wire: Wire, heads: ListenerHeads, wheel: TimerWheel, events: HeadEvents) {
    this.#wire = wire;
    this.#heads = heads;
    this.buffer = new PeekBuffer(wire, wheel);
    this.#events = events;
  }

  start(): void {
    if (this.#heads.options.proxyProtocol) {
      const options = { limitBytes: PROXY_HEADER_BYTES, timeoutMs: HEAD_TIMEOUT_MS };
      this.buffer.peek(new ProxyHeaderParser(), options, (outcome) => this.#onProxyHeader(outcome));
    } else {
      this.#readClientHello();
    }
  }

  /** Gives up without an event; the wire is paused. */
  cancel(): void {
    this.buffer.cancel();
  }

  #onProxyHeader(outcome: PeekOutcome<ProxyHeader>): void {
    switch (outcome.kind) {
      case 'parsed':
        this.#believe(outcome.value);
        this.#readClientHello();
        break;
      case 'absent':
      case 'ended':
        this.#events.onRefused('PROXY_HEADER_MISSING', false);
        break;
      case 'malformed':
      case 'limit':
        this.#events.onRefused('PROXY_HEADER_MALFORMED', false);
        break;
      case 'timeout':
        this.#events.onRefused('PROXY_HEADER_TIMEOUT', false);
        break;
      case 'closed':
        this.#onClosed(outcome);
        break;
    }
  }

  /** Of a peer that is not trusted the header is read and ignored, as in the reference. */
  #believe({ addresses }: ProxyHeader): void {
    if (addresses?.family !== 'ip') return;
    this.proxied = addresses;
    if (this.#heads.isTrusted(this.#wire.remoteAddress)) this.source = addresses.source;
  }

  #readClientHello(): void {
    if (!this.#heads.options.tlsPassthrough) {
      this.#events.onRead();
      return;
    }
    const options = { limitBytes: CLIENT_HELLO_BYTES, timeoutMs: HEAD_TIMEOUT_MS };
    this.buffer.peek(new ClientHelloParser(), options, (outcome) => {
      switch (outcome.kind) {
        case 'parsed':
          this.hello = outcome.value;
          this.#events.onRead();
          break;
        case 'absent':
          // Not TLS: such a client is routed like one of a plain listener.
          this.#events.onRead();
          break;
        case 'ended':
        case 'malformed':
        case 'limit':
          this.#events.onRefused('CLIENT_HELLO_MALFORMED', false);
          break;
        case 'timeout':
          this.#events.onRefused('CLIENT_HELLO_TIMEOUT', false);
          break;
        case 'closed':
          this.#onClosed(outcome);
          break;
      }
    });
  }

  #onClosed({ error }: Extract<PeekOutcome<unknown>, { kind: 'closed' }>): void {
    this.#events.onRefused(error?.kind === 'failed' ? 'DOWNSTREAM_LOST' : 'DOWNSTREAM_RESET', true);
  }
}
