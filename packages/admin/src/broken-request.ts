import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Answers bytes that are no HTTP request, or one that took too long, and closes the connection.
 * @param errno what Node's HTTP parser says.
 */
export function answerBrokenRequest(errno: string, socket: Socket, serverToken: string): void {
  if (errno === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] = reasons[errno] ?? [400, 'malformed request'];
  const body = `${JSON.stringify({ error_msg: reason })}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Server: ${serverToken}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

const reasons: Readonly<Record<string, readonly [status: number, reason: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'request header too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long'],
};
