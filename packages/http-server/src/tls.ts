import { constants } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { SecureVersion, TlsOptions } from 'node:tls';

/** How a server speaks TLS. All PEM. */
export interface ServerTls {
  /** The certificate, with those between it and its authority. */
  readonly cert: string;
  readonly key: string;
  /** Whoever comes must show a certificate that one of these signed. Default: nobody has to show one. */
  readonly clientCa?: string;
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** In OpenSSL's notation, the server's order counts; TLS 1.3 has its own. */
  readonly ciphers: string;
}

/** @param handshakeTimeoutMs milliseconds. */
export function tlsOptions({ clientCa, ...tls }: ServerTls, handshakeTimeoutMs: number): TlsOptions {
  return {
    ...tls,
    honorCipherOrder: true,
    handshakeTimeout: handshakeTimeoutMs,
    // No sessions are resumed: to Node, a resumed TLS 1.3 session without a certificate looks like one with a good one.
    secureOptions: constants.SSL_OP_NO_TICKET,
    // A client without a good one gets an answer that says so, not an alert.
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
  };
}

/** Why the client of a server with a `clientCa` may not go on; undefined when its certificate is good. */
export function clientCertificateFault({ socket }: IncomingMessage): string | undefined {
  if (!(socket instanceof TLSSocket) || socket.getPeerX509Certificate() === undefined)
    return 'no required SSL certificate was sent';
  if (socket.authorized) return undefined;
  const reason: unknown = socket.authorizationError;
  return `the SSL certificate error: ${reason instanceof Error ? reason.message : String(reason)}`;
}
