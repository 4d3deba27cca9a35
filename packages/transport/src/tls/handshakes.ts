import { constants, createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import { GatewayError } from '@apisix-ts/errors';
import type { Certificate, TlsVersion } from './certificate-store.ts';
import { defaultVersions, versionOptions } from './tls-versions.ts';

/** Bytes of a ticket key: its name, an HMAC key and an AES key, 16 each. */
const ticketKeyBytes = 48;

export interface HandshakeOptions {
  /** For certificates that do not say. Default TLS 1.2 and 1.3. */
  readonly versions?: readonly TlsVersion[];
  /** OpenSSL's cipher list, with the names of TLS 1.3 suites in it, too. Default: Node's. */
  readonly ciphers?: string;
  /**
   * What session tickets are made with, 48 bytes each: the first one for new tickets, the others to read old ones.
   * Threads with the same keys accept each other's. Default: a random one, of this thread alone.
   */
  readonly ticketKeys?: readonly Uint8Array[];
}

/** Whoever waits for a handshake. */
export interface Handshake {
  secured(socket: TLSSocket): void;
  failed(error: NodeJS.ErrnoException, socket: TLSSocket): void;
}

export interface HandshakeStart {
  /** With the ClientHello unread. It belongs to the TLS socket from now on. */
  readonly socket: Socket;
  readonly certificate: Certificate;
  /** Of the tickets that the ClientHello brings. */
  readonly ticketNames: readonly string[];
  /** The application protocol to agree on, one that the client offers; undefined: what it offers is ignored. */
  readonly protocol: string | undefined;
  readonly handshake: Handshake;
}

/**
 * Does handshakes with the certificate of each. A certificate is compiled on its first handshake, and kept for as long as
 * someone has the entry. A client that has to show a certificate shows it every time: its sessions have no tickets, so
 * a resumed one cannot get around a new authority or the depth.
 */
export class Handshakes {
  readonly #options: HandshakeOptions;
  #ticketKeys: readonly Buffer[];
  #servers: WeakMap<Certificate, Map<Buffer, Server>> = new WeakMap();

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#ticketKeys = checkTicketKeys(options.ticketKeys ?? [randomBytes(ticketKeyBytes)]);
  }

  /** Takes effect with the next handshake. */
  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#ticketKeys = checkTicketKeys(keys);
    this.#servers = new WeakMap();
  }

  /** @throws GatewayError `TLS_CERTIFICATE_INVALID`. */
  start({ socket, certificate, ticketNames, protocol, handshake }: HandshakeStart): void {
    const server = this.#serverFor(certificate, this.#keyFor(ticketNames));
    viewOf(server, handshake, protocol).emit('connection', socket);
  }

  #keyFor(ticketNames: readonly string[]): Buffer {
    const [newest = Buffer.alloc(0)] = this.#ticketKeys;
    return this.#ticketKeys.find((key) => ticketNames.includes(key.toString('latin1', 0, 16))) ?? newest;
  }

  #serverFor(certificate: Certificate, ticketKey: Buffer): Server {
    const servers = this.#servers.get(certificate) ?? new Map<Buffer, Server>();
    this.#servers.set(certificate, servers);
    const server = servers.get(ticketKey) ?? this.#compile(certificate, ticketKey);
    servers.set(ticketKey, server);
    return server;
  }

  /** The server never listens: it is what Node's TLS takes its options from, and gives its events to. */
  #compile(certificate: Certificate, ticketKeys: Buffer): Server {
    const { id, pairs, client } = certificate;
    const { versions = defaultVersions, ciphers } = this.#options;
    const noTickets = client === undefined ? 0 : constants.SSL_OP_NO_TICKET;
    try {
      return createServer({
        cert: pairs.map(({ cert }) => cert),
        key: pairs.map(({ key }) => key),
        ...(client === undefined ? {} : { ca: client.ca, requestCert: true, rejectUnauthorized: true }),
        ...versionOptions(certificate.versions ?? versions, noTickets),
        ...(ciphers === undefined ? {} : { ciphers }),
        ticketKeys,
        // A session is taken up under the certificate it began with only.
        sessionIdContext: createHash('sha256').update(id).digest('hex').slice(0, 32),
        // The whole attempt has a time-out already, on the wheel.
        handshakeTimeout: 2 ** 31 - 1,
        pauseOnConnect: true,
      });
    } catch (error) {
      throw certificateError(id, error);
    }
  }
}

/**
 * The server as one connection sees it. A TLS server takes connections that are emitted to it, and emits back what became of
 * each, without saying of which: so each gets a server that has all from the real one, and ears of its own.
 */
function viewOf(server: Server, handshake: Handshake, protocol: string | undefined): Pick<Server, 'emit'> {
  return {
    __proto__: server,
    ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] }),
    emit(event: string, ...args: unknown[]): boolean {
      // The arguments as @types/node has them for these events.
      if (event === 'secureConnection') handshake.secured(args[0] as TLSSocket);
      else if (event === 'tlsClientError') handshake.failed(args[0] as Error, args[1] as TLSSocket);
      else return super.emit(event, ...args);
      return true;
    },
  } as Pick<Server, 'emit'>;
}

function checkTicketKeys(keys: readonly Uint8Array[]): Buffer[] {
  if (keys.length === 0 || keys.some((key) => key.length !== ticketKeyBytes)) {
    throw new TypeError(`expected ticket keys of ${ticketKeyBytes} bytes, at least one`);
  }
  return keys.map((key) => Buffer.from(key));
}

function certificateError(id: string, cause: unknown): GatewayError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GatewayError(
    'TLS_CERTIFICATE_INVALID',
    `expected certificates and their keys in ssl ${id}, OpenSSL answered: ${reason}`,
    { cause, detail: { id, reason } },
  );
}
