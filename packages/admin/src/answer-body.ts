import { Readable } from 'node:stream';
import type { AnswerBody, ListBody } from './answer.ts';
import { createPace } from './pace.ts';

/** A body ready to be sent. */
export interface Outgoing {
  /** Bytes at once, or a long list piece by piece; bytes, because Fastify adds a charset to the content type of text. */
  readonly payload: Buffer | Readable;
  /** How many there were so far. */
  readonly bytesMade: () => number;
}

export function bodyToSend(body: AnswerBody | undefined): Outgoing {
  if (body === undefined) return whole('');
  if ('text' in body) return whole(body.text);
  if ('json' in body) return whole(`${JSON.stringify(body.json)}\n`);
  const { before, items, after } = body;
  if (items.length <= shortList) {
    return whole(`${before}${items.map((item) => JSON.stringify(item)).join(',')}${after}\n`);
  }
  let bytes = 0;
  const counted = pieces(body, (size) => (bytes += size));
  return { payload: Readable.from(counted, { objectMode: false }), bytesMade: () => bytes };
}

function whole(text: string): Outgoing {
  const payload = Buffer.from(text);
  return { payload, bytesMade: () => payload.length };
}

/** Items of a list that is sent in one piece, with its length before it. */
const shortList = 100;

/** Characters of a piece, at least. */
const pieceLength = 65_536;

async function* pieces(
  { before, items, after }: ListBody,
  onPiece: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const pace = createPace();
  const take = (text: string): Buffer => {
    const bytes = Buffer.from(text);
    onPiece(bytes.length);
    return bytes;
  };
  let piece = before;
  let separator = '';
  for (const item of items) {
    piece += separator + JSON.stringify(item);
    separator = ',';
    if (piece.length >= pieceLength) {
      yield take(piece);
      piece = '';
    }
    const pause = pace();
    if (pause !== undefined) await pause;
  }
  yield take(`${piece}${after}\n`);
}
