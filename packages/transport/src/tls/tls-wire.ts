import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { SocketWire } from '../socket/socket-wire.ts';

/** What the two ends of a TLS connection agreed on. */
export interface TlsFacts {
  /** The name that was asked for, normalized; where a client sent none, the fallback. Undefined: none was sent. */
  readonly serverName: string | undefined;
  /** The application protocol (ALPN), if one was agreed on. */
  readonly alpn: string | undefined;
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly protocol: string;
  /** OpenSSL's name for it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** The peer showed a certificate, and it was verified. */
  readonly isPeerVerified: boolean;
  /** What a client showed that had to show one. Its texts are made when they are read, also after the connection. */
  readonly clientCertificate: X509Certificate | undefined;
  /** An earlier session was taken up: no certificates were exchanged. */
  readonly isResumed: boolean;
}

/**
 * A connection with TLS, after its handshake. The wire's end is close_notify and then FIN. What differs from plain TCP:
 * - every write with bytes in it answers false, and `onWritten` comes in the same turn of the loop if the kernel has it;
 * - FIN without close_notify is told as an end: Node does not say which one it was.
 */
export class TlsWire extends SocketWire {
  readonly facts: TlsFacts;

  constructor(
    socket: TLSSocket,
    carrier: Socket,
    serverName: string | undefined,
    clientCertificate?: X509Certificate,
  ) {
    super(socket, carrier);
    this.facts = {
      serverName,
      alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
      protocol: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      isPeerVerified: socket.authorized,
      clientCertificate,
      isResumed: socket.isSessionReused(),
    };
  }
}
