import { Readable } from 'node:stream';
import { createPace } from './pace.ts';

/** JSON that may be long: `items`, with commas between, stand between the two texts. A newline comes after it. */
export interface JsonList<T = unknown> {
  readonly before: string;
  readonly items: readonly T[];
  readonly after: string;
}

/** Items of a list that is sent in one piece, with its length before it. */
const shortList = 100;

/** Characters of a piece, at least. */
const pieceLength = 65_536;

/**
 * Bytes at once, or a long list piece by piece, so that neither the list as text is in memory nor anything else held up;
 * bytes, because Fastify adds a charset to the content type of text.
 * @param show what of an item is sent. Default: itself.
 * @param onPiece is told the bytes of each piece that was made.
 */
export function jsonListBody<T>(
  list: JsonList<T>,
  show: (item: T) => unknown = (item) => item,
  onPiece: (bytes: number) => void = () => {},
): Buffer | Readable {
  const { before, items, after } = list;
  if (items.length > shortList) {
    return Readable.from(pieces(list, show, onPiece), { objectMode: false });
  }
  const body = Buffer.from(`${before}${items.map((item) => JSON.stringify(show(item))).join(',')}${after}\n`);
  onPiece(body.length);
  return body;
}

async function* pieces<T>(
  { before, items, after }: JsonList<T>,
  show: (item: T) => unknown,
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
    piece += separator + JSON.stringify(show(item));
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
