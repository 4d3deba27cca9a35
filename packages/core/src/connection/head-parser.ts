/** What a parser makes of the bytes it was given so far. Everything but `need-more` is its last word. */
export type HeadAnswer<T> =
  | { readonly kind: 'need-more' }
  | {
      readonly kind: 'parsed';
      readonly value: T;
      /** Bytes at the beginning that are used up. The others, and all when it is 0, belong to whoever reads next. */
      readonly consumedBytes: number;
    }
  /** The bytes begin something else. */
  | { readonly kind: 'absent' }
  /** The bytes begin the right thing and break its rules. `reason` is for a log: what was found, no full stop. */
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * Reads what stands at the head of a byte stream. Its answer depends on the bytes and never on how they are cut; it waits
 * for no byte it has no use for, keeps a bounded number of them, and does work in proportion to their number. One parser
 * reads one head.
 */
export interface HeadParser<T> {
  /**
   * @param view the next bytes, of any number; valid during the call. Nothing is pushed after an answer other than
   * `need-more`.
   */
  push(view: Uint8Array): HeadAnswer<T>;
}

export const needMore: { readonly kind: 'need-more' } = { kind: 'need-more' };

export const absent: { readonly kind: 'absent' } = { kind: 'absent' };

export function malformed(reason: string): { readonly kind: 'malformed'; readonly reason: string } {
  return { kind: 'malformed', reason };
}
