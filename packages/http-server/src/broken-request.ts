import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How bytes that are no request were answered. */
export interface BrokenRequest {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  /** The connection that it came on, as requests on it have it. */
  readonly socket: Socket;
}

/**
 * Answers bytes that are no HTTP request, or one that took too long, and closes the connection.
 * @param errno what Node's HTTP parser says.
 * @returns undefined when there is no one to answer.
 */
export function answerBrokenRequest(
  errno: string,
  socket: Duplex,
  serverToken: string,
): Omit<BrokenRequest, 'socket'> | undefined {
  // One that was answered already is lingering.
  if (socket.writableEnded) return undefined;
  if (errno === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const [status, reason] = reasons[errno] ?? [400, 'malformed request'];
  const body = `${JSON.stringify({ error_msg: reason })}\n`;
  const bytes = Buffer.byteLength(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Server: ${serverToken}`,
    'Content-Type: application/json',
    `Content-Length: ${bytes}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  linger(socket);
  return { status, bytes };
}

/** Milliseconds. */
const lingerMs = 1000;

/**
 * Reads what the client still sends, for a moment, and forgets it: closing with bytes unread is a reset, which may take
 * the answer away from the client (RFC 9112 section 9.6).
 */
function linger(socket: Duplex): void {
  // Nothing more of it is a request.
  socket.removeAllListeners('data').on('data', () => {});
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}

const reasons: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'request header too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long'],
};
