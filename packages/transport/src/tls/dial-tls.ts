import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, createSecureContext } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { WheelEntry } from '@apisix-ts/core';
import type { TimerWheel } from '@apisix-ts/core';
import { GatewayError } from '@apisix-ts/errors';
import { dialError, dialTimeout } from '../dial-error.ts';
import type { Dial, DialOptions } from '../driver.ts';
import { formatEndpoint, toTarget } from '../endpoint.ts';
import type { CertificatePair, TlsVersion } from './certificate-store.ts';
import { defaultVersions, versionOptions } from './tls-versions.ts';
import { TlsWire } from './tls-wire.ts';

export interface UpstreamTlsOptions {
  /** Shown to servers that ask. Default: none. */
  readonly clientPair?: CertificatePair;
  /** Verify the server's certificate. Default: any is accepted, as APISIX does it. */
  readonly verify?: UpstreamVerification;
  /** Default TLS 1.2 and 1.3. */
  readonly versions?: readonly TlsVersion[];
  /** OpenSSL's cipher list. Default: Node's. */
  readonly ciphers?: string;
}

export interface UpstreamVerification {
  /** PEM of the authorities. Default: those that Node brings. */
  readonly ca?: string;
  /** The DNS name or ip address the certificate has to be for. Default: the `serverName` of the dial, else its address. */
  readonly name?: string;
}

/** What the TLS connections to an upstream have in common, compiled. */
export interface UpstreamTls {
  readonly context: SecureContext;
  readonly verify: UpstreamVerification | undefined;
}

/** @throws GatewayError `TLS_CERTIFICATE_INVALID`, for the client's pair or the authorities. */
export function compileUpstreamTls(options: UpstreamTlsOptions): UpstreamTls {
  const { clientPair, verify, versions = defaultVersions, ciphers } = options;
  try {
    const context = createSecureContext({
      ...clientPair,
      ...(verify?.ca === undefined ? {} : { ca: verify.ca }),
      ...(ciphers === undefined ? {} : { ciphers }),
      ...versionOptions(versions),
    });
    return { context, verify };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new GatewayError(
      'TLS_CERTIFICATE_INVALID',
      `expected certificates and a key for TLS to an upstream, OpenSSL answered: ${reason}`,
      { cause: error, detail: { reason } },
    );
  }
}

export interface TlsDialOptions extends DialOptions {
  readonly tls: UpstreamTls;
  /** The name to ask for (SNI). Default none; an ip address is not sent (RFC 6066 section 3). */
  readonly serverName?: string;
  /** The application protocol to offer (ALPN). Default none. */
  readonly protocol?: string;
  /** Sent before the handshake, as it is: a PROXY protocol header. */
  readonly preface?: Uint8Array;
}

/** Exactly one of the two is called, once, never from inside `dialTls`; none after `cancel`. */
export interface TlsDialHandler {
  /** The handshake is done. The wire is paused and belongs to the handler. */
  onWire(wire: TlsWire): void;
  /**
   * As `DialHandler.onFailure`, and `UPSTREAM_TLS_HANDSHAKE_FAILED` or `UPSTREAM_CERTIFICATE_INVALID`, with `reason` in
   * the detail. `UPSTREAM_CONNECT_TIMEOUT` is for TCP and the handshake together.
   */
  onFailure(error: GatewayError): void;
}

/**
 * Connects with TLS. In TLS 1.3 a server refuses the client's certificate, or its absence, only after the handshake is
 * done here: that is told by the wire, not by `onFailure`.
 */
export function dialTls(wheel: TimerWheel, options: TlsDialOptions, handler: TlsDialHandler): Dial {
  return new TlsDial(wheel, options, handler);
}

class TlsDial extends WheelEntry implements Dial {
  readonly #wheel: TimerWheel;
  readonly #options: TlsDialOptions;
  readonly #handler: TlsDialHandler;
  readonly #socket: Socket;
  #isOver = false;

  constructor(wheel: TimerWheel, options: TlsDialOptions, handler: TlsDialHandler) {
    super();
    this.#wheel = wheel;
    this.#options = options;
    this.#handler = handler;
    const { address, port, localAddress } = options;
    const source = localAddress === undefined ? {} : { localAddress };
    this.#socket = connectTcp({ ...toTarget(address, port), ...source, noDelay: true });
    this.#socket.pause();
    this.#socket.once('connect', () => this.#connected());
    this.#socket.on('error', this.#connectFailed);
    wheel.add(this, options.connectTimeoutMs);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#finish();
    this.#socket.destroy();
  }

  override onDue(): number {
    this.cancel();
    this.#handler.onFailure(dialTimeout(this.#options));
    return 0;
  }

  #connected(): void {
    if (this.#isOver) return;
    const { tls, serverName = '', protocol, preface } = this.#options;
    if (preface !== undefined) this.#socket.write(preface);
    const secure = connectTls({
      socket: this.#socket,
      secureContext: tls.context,
      ...(serverName === '' || isIP(serverName) > 0 ? {} : { servername: serverName }),
      ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
      rejectUnauthorized: tls.verify !== undefined,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(this.#expectedName(), certificate),
    });
    secure.pause();
    // What the TCP socket tells is told by the TLS socket, too.
    this.#socket.off('error', this.#connectFailed).on('error', () => {});
    secure.on('error', (error: NodeJS.ErrnoException) => this.#handshakeFailed(error, secure));
    secure.once('secureConnect', () => this.#secured(secure));
  }

  #expectedName(): string {
    const { tls, serverName, address } = this.#options;
    return tls.verify?.name ?? serverName ?? address;
  }

  #secured(secure: TLSSocket): void {
    if (this.#isOver) return;
    this.#finish();
    // Until here an end was to close the socket.
    secure.allowHalfOpen = true;
    this.#handler.onWire(new TlsWire(secure, this.#socket, this.#options.serverName));
  }

  readonly #connectFailed = (error: NodeJS.ErrnoException): void => {
    if (this.#isOver) return;
    this.#finish();
    this.#handler.onFailure(dialError(this.#options, error.code ?? error.name));
  };

  #handshakeFailed(error: NodeJS.ErrnoException, secure: TLSSocket): void {
    if (this.#isOver) return;
    this.#finish();
    this.#socket.destroy();
    // Node sets it to a code, whatever its type says.
    const refusal: unknown = secure.authorizationError;
    const endpoint = formatEndpoint(this.#options.address, this.#options.port);
    if (typeof refusal === 'string') {
      const message = `expected a certificate for ${this.#expectedName()} from ${endpoint}, found ${refusal}`;
      this.#tell('UPSTREAM_CERTIFICATE_INVALID', message, refusal, error);
    } else {
      const reason = error.code ?? error.message;
      this.#tell(
        'UPSTREAM_TLS_HANDSHAKE_FAILED',
        `expected TLS from ${endpoint}, found ${reason}`,
        reason,
        error,
      );
    }
  }

  #tell(
    code: 'UPSTREAM_CERTIFICATE_INVALID' | 'UPSTREAM_TLS_HANDSHAKE_FAILED',
    message: string,
    reason: string,
    cause: Error,
  ): void {
    const { address, port } = this.#options;
    this.#handler.onFailure(new GatewayError(code, message, { cause, detail: { address, port, reason } }));
  }

  #finish(): void {
    this.#isOver = true;
    this.#wheel.remove(this);
  }
}
