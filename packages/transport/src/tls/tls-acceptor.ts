import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ClientHelloParser, WheelEntry, normalizeServerName } from '@apisix-ts/core';
import type { ClientHello, TimerWheel } from '@apisix-ts/core';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import type { ErrorCode } from '@apisix-ts/errors';
import type { SocketWire } from '../socket/socket-wire.ts';
import type { Certificate, CertificateStore } from './certificate-store.ts';
import { countIntermediates } from './client-chain.ts';
import { Handshakes } from './handshakes.ts';
import type { Handshake, HandshakeOptions } from './handshakes.ts';
import { TlsWire } from './tls-wire.ts';

export interface TlsAcceptOptions extends HandshakeOptions {
  readonly store: CertificateStore;
  /** Serves the time-outs of all handshakes of a thread. */
  readonly wheel: TimerWheel;
  /** Taken for the name of clients that send none. Default: they are refused. */
  readonly fallbackServerName?: string;
  /** From `accept` to the end of the handshake. Milliseconds, > 0; default 60 000, as nginx has it. */
  readonly handshakeTimeoutMs?: number;
}

/** Exactly one of `onWire` and `onFailure` is called, once, never from inside `accept`; nothing after `cancel`. */
export interface TlsAcceptHandler {
  /**
   * The ClientHello was read, and there is a certificate for it.
   * @param serverName what was asked for, normalized, or what stands in for it.
   * @returns the application protocol to agree on, one of those offered. Default: none, as if there were no ALPN.
   */
  onClientHello?(hello: ClientHello, serverName: string): string | undefined;
  /** The handshake is done. The wire is paused and belongs to the handler. */
  onWire(wire: TlsWire): void;
  /**
   * It failed, and the connection is closed or closing. `TLS_NAME_UNKNOWN`, `TLS_CERTIFICATE_INVALID`,
   * `TLS_CLIENT_CERTIFICATE_INVALID`, `TLS_HANDSHAKE_TIMEOUT` or `TLS_HANDSHAKE_FAILED`. The detail has `serverName`,
   * once it is known, and `reason`, in OpenSSL's or the system's words.
   */
  onFailure(error: GatewayError): void;
}

export interface TlsAccept {
  /** Gives up and closes the connection. No effect after an outcome was told. Idempotent. */
  cancel(): void;
}

/**
 * Terminates TLS on accepted connections: one for each listener of a thread. The ClientHello is read here before OpenSSL
 * sees it, because OpenSSL's own name callback comes too late to choose the versions, whether a client certificate is
 * demanded, and which tickets are good; on a resumed session it does not come at all.
 */
export class TlsAcceptor {
  readonly #options: TlsAcceptOptions;
  readonly #handshakes: Handshakes;

  constructor(options: TlsAcceptOptions) {
    this.#options = options;
    this.#handshakes = new Handshakes(options);
  }

  /**
   * @param wire accepted by the socket driver, paused; it is given up to the acceptor, and never heard of again.
   * @param head bytes already read from it: the ClientHello, or a beginning of it.
   */
  accept(wire: SocketWire, handler: TlsAcceptHandler, head?: Uint8Array): TlsAccept {
    const attempt = new Attempt(wire.release(), this.#options, this.#handshakes, handler);
    attempt.start(head);
    return attempt;
  }

  /** For the next handshakes: the first key for new tickets, the others to read old ones. Every thread needs the same. */
  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#handshakes.setTicketKeys(keys);
  }
}

/** One connection, from its first byte to the end of the handshake. */
class Attempt extends WheelEntry implements TlsAccept, Handshake {
  readonly #socket: Socket;
  readonly #options: TlsAcceptOptions;
  readonly #handshakes: Handshakes;
  readonly #handler: TlsAcceptHandler;
  /** What was read so far, until it is a ClientHello. */
  #hello: Buffer = Buffer.alloc(0);
  readonly #parser = new ClientHelloParser();
  #serverName: string | undefined;
  #certificate: Certificate | undefined;
  #error: Error | undefined;
  #isOver = false;

  constructor(socket: Socket, options: TlsAcceptOptions, handshakes: Handshakes, handler: TlsAcceptHandler) {
    super();
    this.#socket = socket;
    this.#options = options;
    this.#handshakes = handshakes;
    this.#handler = handler;
  }

  start(head: Uint8Array | undefined): void {
    const socket = this.#socket;
    this.#options.wheel.add(this, this.#options.handshakeTimeoutMs ?? 60_000);
    if (head !== undefined && head.length > 0) socket.unshift(head);
    socket.on('error', this.#socketFailed);
    socket.on('close', this.#socketClosed);
    socket.on('end', this.#socketEnded);
    // It begins to read, and is called in a later turn, also for what is there already.
    socket.on('readable', this.#read);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#socket.destroy();
  }

  override onDue(): number {
    const afterMs = this.#options.handshakeTimeoutMs ?? 60_000;
    this.#fail('TLS_HANDSHAKE_TIMEOUT', `expected a handshake to end within ${afterMs} ms`, 'ETIMEDOUT');
    return 0;
  }

  secured(secure: TLSSocket): void {
    if (this.#isOver) return;
    const client = this.#certificate?.client;
    if (client !== undefined) {
      const count = countIntermediates(secure.getPeerCertificate(true), client.ca);
      if (count === undefined || count > client.depth) {
        this.#clientRefused(count === undefined ? 'CERT_CHAIN_UNSEEN' : 'CERT_CHAIN_TOO_LONG');
        return;
      }
    }
    this.#finish();
    this.#socket.off('close', this.#socketClosed);
    this.#socket.off('end', this.#socketEnded);
    // Until here an end was to close the socket.
    secure.allowHalfOpen = true;
    const shown = client === undefined ? undefined : secure.getPeerX509Certificate();
    this.#handler.onWire(new TlsWire(secure, this.#socket, this.#serverName, shown));
  }

  failed(error: NodeJS.ErrnoException, secure: TLSSocket): void {
    // Node sets it to a code, whatever its type says.
    const refusal: unknown = secure.authorizationError;
    if (typeof refusal === 'string') this.#clientRefused(refusal);
    else if (error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') this.#clientRefused(error.code);
    else this.#handshakeFailed(error.code ?? error.message, error);
  }

  readonly #read = (): void => {
    const bytes: unknown = this.#socket.read();
    if (this.#isOver || !Buffer.isBuffer(bytes)) return;
    this.#hello = this.#hello.length === 0 ? bytes : Buffer.concat([this.#hello, bytes]);
    const answer = this.#parser.push(bytes);
    if (answer.kind === 'need-more') return;
    this.#socket.off('readable', this.#read);
    this.#socket.unshift(this.#hello);
    switch (answer.kind) {
      case 'parsed':
        this.#answer(answer.value);
        break;
      case 'absent':
        this.#handshakeFailed('NOT_TLS');
        break;
      case 'malformed':
        this.#refuse(
          'TLS_HANDSHAKE_FAILED',
          alerts.decodeError,
          `expected a ClientHello, found ${answer.reason}`,
          'MALFORMED',
        );
    }
  };

  #answer(hello: ClientHello): void {
    const { store, fallbackServerName } = this.#options;
    const serverName = hello.serverName ?? fallbackServerName;
    const name = serverName === undefined ? undefined : normalizeServerName(serverName);
    this.#serverName = name;
    const certificate = name === undefined ? undefined : store.find(name);
    if (name === undefined || certificate === undefined) {
      const found = name ?? 'none, and there is no fallback';
      const message = `expected a server name that an ssl has a certificate for, found ${found}`;
      this.#refuse('TLS_NAME_UNKNOWN', alerts.unrecognizedName, message, 'UNRECOGNIZED_NAME');
      return;
    }
    this.#certificate = certificate;
    // An end before the handshake is done has nothing to say to anyone; left half-open it would hang.
    this.#socket.allowHalfOpen = false;
    try {
      const protocol = this.#handler.onClientHello?.(hello, name);
      this.#handshakes.start({
        socket: this.#socket,
        certificate,
        ticketNames: hello.ticketNames,
        protocol,
        handshake: this,
      });
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#sendAlert(alerts.internalError);
      this.#tell(error);
    }
  }

  readonly #socketFailed = (error: Error): void => {
    this.#error ??= error;
  };

  readonly #socketEnded = (): void => {
    if (!this.#isOver) this.#handshakeFailed('EOF');
  };

  readonly #socketClosed = (): void => {
    const error: NodeJS.ErrnoException | undefined = this.#error;
    // The TLS socket closes this one first, and then says why.
    setImmediate(() => {
      if (!this.#isOver) this.#handshakeFailed(error?.code ?? 'EOF', error);
    });
  };

  #clientRefused(reason: string): void {
    const message = `expected a certificate of an authority of ssl ${this.#certificate?.id ?? ''}, found ${reason}`;
    this.#fail('TLS_CLIENT_CERTIFICATE_INVALID', message, reason);
  }

  #handshakeFailed(reason: string, cause?: Error): void {
    this.#fail('TLS_HANDSHAKE_FAILED', `expected a TLS handshake, found ${reason}`, reason, cause);
  }

  /** Tells the client, too. */
  #refuse(code: ErrorCode, alert: number, message: string, reason: string): void {
    this.#sendAlert(alert);
    this.#tell(this.#describe(code, message, reason));
  }

  #fail(code: ErrorCode, message: string, reason: string, cause?: Error): void {
    if (this.#isOver) return;
    this.#socket.destroy();
    this.#tell(this.#describe(code, message, reason, cause));
  }

  #describe(code: ErrorCode, message: string, reason: string, cause?: Error): GatewayError {
    const serverName = this.#serverName;
    return new GatewayError(code, message, {
      ...(cause === undefined ? {} : { cause }),
      detail: { reason, ...(serverName === undefined ? {} : { serverName }) },
    });
  }

  /** In a record that is not encrypted, as before any agreement (RFC 8446 section 6). */
  #sendAlert(description: number): void {
    const record = Buffer.from([21, 3, 3, 0, 2, 2, description]);
    this.#socket.end(record, () => this.#socket.destroy());
  }

  #tell(error: GatewayError): void {
    this.#finish();
    this.#handler.onFailure(error);
  }

  #finish(): void {
    this.#isOver = true;
    this.#options.wheel.remove(this);
    this.#socket.off('readable', this.#read);
  }
}

const alerts = { decodeError: 50, internalError: 80, unrecognizedName: 112 } as const;
