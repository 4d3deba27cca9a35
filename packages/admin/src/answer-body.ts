import type { Readable } from 'node:stream';
import { jsonListBody } from '@apisix-ts/http-server';
import type { AnswerBody } from './answer.ts';

/** A body ready to be sent. */
export interface Outgoing {
  /** Bytes at once, or a long list piece by piece. */
  readonly payload: Buffer | Readable;
  /** How many there were so far. */
  readonly bytesMade: () => number;
}

export function bodyToSend(body: AnswerBody | undefined): Outgoing {
  if (body === undefined) return whole('');
  if ('text' in body) return whole(body.text);
  if ('json' in body) return whole(`${JSON.stringify(body.json)}\n`);
  let bytes = 0;
  const payload = jsonListBody(body, undefined, (size) => (bytes += size));
  return { payload, bytesMade: () => bytes };
}

function whole(text: string): Outgoing {
  const payload = Buffer.from(text);
  return { payload, bytesMade: () => payload.length };
}
