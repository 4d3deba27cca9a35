import { isIPv6 } from 'node:net';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { unixPath } from '@apisix-ts/core';
import { isFailure } from '../data-plane/session-reason.ts';
import type { SessionReason } from '../data-plane/session-reason.ts';

/** A session that begins. Attributes of its spans have the names of OpenTelemetry's semantic conventions where there is one. */
export interface SessionArrival {
  readonly transport: 'tcp' | 'udp';
  readonly listenerName: string;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
}

/** What is known of a session before it is matched. */
export interface ArrivedSession {
  /** The client, as a believed PROXY header has it, otherwise the peer. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly serverName: string | undefined;
}

/**
 * The spans of one session: `accept`, until its payload begins; `match`; a `dial` for each attempt; `relay`; and one around
 * them. Only sessions that are traced have one of these.
 */
export class SessionSpans {
  readonly #tracer: Tracer;
  readonly #transport: 'tcp' | 'udp';
  readonly #session: Span;
  readonly #within: Context;
  /** What it is busy with. */
  #step: Span | undefined;

  constructor(tracer: Tracer, arrival: SessionArrival) {
    const { transport, listenerName, serverAddress, serverPort, peerAddress, peerPort } = arrival;
    this.#tracer = tracer;
    this.#transport = transport;
    this.#session = tracer.startSpan(
      `${transport} session`,
      {
        kind: SpanKind.SERVER,
        root: true,
        attributes: {
          'network.transport': transport,
          'network.type': isIPv6(peerAddress) ? 'ipv6' : 'ipv4',
          'network.peer.address': peerAddress,
          'network.peer.port': peerPort,
          'server.address': serverAddress,
          'server.port': serverPort,
          'apisix.listener': listenerName,
        },
      },
      ROOT_CONTEXT,
    );
    this.#within = trace.setSpan(ROOT_CONTEXT, this.#session);
    this.#begin('accept');
  }

  /** Its heads were read and TLS was agreed on. May come again, where its upstream is gone. */
  matching({ remoteAddress, remotePort, serverName }: ArrivedSession): void {
    this.#session.setAttributes({
      'client.address': remoteAddress,
      'client.port': remotePort,
      ...(serverName === undefined ? {} : { 'apisix.server_name': serverName }),
    });
    this.#begin('match');
  }

  matched(route: { readonly id: string; readonly serviceId: string | undefined } | undefined): void {
    if (route === undefined) return;
    const { id, serviceId } = route;
    const attributes = {
      'apisix.route_id': id,
      ...(serviceId === undefined ? {} : { 'apisix.service_id': serviceId }),
    };
    this.#session.setAttributes(attributes);
    this.#step?.setAttributes(attributes);
    this.#finish();
  }

  dialing({
    host,
    address,
    port,
  }: {
    readonly host: string;
    readonly address: string;
    readonly port: number;
  }): void {
    const path = unixPath(address);
    const place: Attributes =
      path === undefined
        ? {
            'network.transport': this.#transport,
            'network.peer.address': address,
            'network.peer.port': port,
            'server.address': host,
            'server.port': port,
          }
        : { 'network.transport': 'unix', 'network.peer.address': path, 'server.address': path };
    this.#begin('dial', SpanKind.CLIENT, place);
  }

  dialFailed(reason: SessionReason): void {
    if (this.#step !== undefined) fail(this.#step, reason);
    this.#finish();
  }

  relaying(): void {
    this.#begin('relay');
  }

  ended(reason: SessionReason, bytesReceived: number, bytesSent: number): void {
    if (isFailure(reason)) {
      if (this.#step !== undefined) fail(this.#step, reason);
      fail(this.#session, reason);
    }
    this.#finish();
    this.#session.setAttributes({
      'apisix.reason': reason,
      'apisix.bytes_received': bytesReceived,
      'apisix.bytes_sent': bytesSent,
    });
    this.#session.end();
  }

  #begin(name: string, kind = SpanKind.INTERNAL, attributes: Attributes = {}): void {
    this.#finish();
    this.#step = this.#tracer.startSpan(name, { kind, attributes }, this.#within);
  }

  #finish(): void {
    this.#step?.end();
    this.#step = undefined;
  }
}

function fail(span: Span, reason: SessionReason): void {
  span.setAttribute('error.type', reason);
  span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
}
