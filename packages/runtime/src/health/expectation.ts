import { Buffer } from 'node:buffer';
import { toProbeBytes } from '@apisix-ts/config';
import type { ProbeExpectation } from '@apisix-ts/config';

/** What an answer must begin with, or contain. */
export interface Expectation {
  /** At least one. */
  readonly bytes: Uint8Array;
  readonly isAnywhere: boolean;
}

export function compileExpectation(written: ProbeExpectation): Expectation {
  const isAnywhere = typeof written === 'object' && written.match === 'anywhere';
  return { bytes: toProbeBytes(written), isAnywhere };
}

/** How much of an answer is looked at. Bytes; what comes later does not count. */
const LONGEST_ANSWER = 16_384;

/** Compares an answer with what is expected of it, as it comes. It keeps less of it than is expected. */
export class AnswerReader {
  readonly #expectation: Expectation;
  #kept: Uint8Array = Buffer.alloc(0);
  #seenBytes = 0;

  constructor(expectation: Expectation) {
    this.#expectation = expectation;
  }

  /** @returns does the answer fit? undefined: more of it has to be seen. */
  add(chunk: Uint8Array): boolean | undefined {
    const { bytes, isAnywhere } = this.#expectation;
    const looked = chunk.subarray(0, LONGEST_ANSWER - this.#seenBytes);
    this.#seenBytes += looked.length;
    const answer = Buffer.concat([this.#kept, looked]);
    if (isAnywhere) {
      if (answer.includes(bytes)) return true;
      this.#kept = answer.subarray(Math.max(answer.length - bytes.length + 1, 0));
      return this.#seenBytes < LONGEST_ANSWER ? undefined : false;
    }
    const start = answer.subarray(0, bytes.length);
    if (!start.equals(bytes.subarray(0, start.length))) return false;
    this.#kept = start;
    return start.length === bytes.length ? true : undefined;
  }
}
