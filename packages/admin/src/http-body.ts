import type { IncomingMessage } from 'node:http';
import type { RawBody } from './request.ts';

/**
 * Reads a request's body. One that is too large is not kept: what is left of it passes by, so that the client gets to
 * read the answer; the server's time limit for a request ends a body without end.
 * Rejects when the client goes away before the end.
 */
export async function readHttpBody(message: IncomingMessage, limitBytes: number): Promise<RawBody> {
  const announced = Number(message.headers['content-length'] ?? 0);
  if (announced > limitBytes) return tooLarge(announced, limitBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    message.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes) chunks.push(chunk);
      else resolve(tooLarge(size, limitBytes));
    });
    message.once('end', () => resolve({ bytes: Buffer.concat(chunks, Math.min(size, limitBytes)) }));
    message.once('error', reject);
  });
}

function tooLarge(size: number, limitBytes: number): RawBody {
  return { tooLarge: `request size ${size} is greater than the maximum size ${limitBytes} allowed` };
}
