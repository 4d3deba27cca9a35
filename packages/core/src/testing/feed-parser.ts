import type { HeadAnswer, HeadParser } from '../connection/head-parser.ts';

/** Pushes one piece after the other until the parser decides. Its views are wiped after each call. */
export function feedParser<T>(pieces: Iterable<Uint8Array>, parser: HeadParser<T>): HeadAnswer<T> {
  for (const piece of pieces) {
    const view = Uint8Array.from(piece);
    const answer = parser.push(view);
    view.fill(0xee);
    if (answer.kind !== 'need-more') return answer;
  }
  return { kind: 'need-more' };
}
