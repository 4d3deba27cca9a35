import { ByteBuffer } from '../connection/byte-buffer.ts';
import { absent, needMore } from '../connection/head-parser.ts';
import type { HeadAnswer, HeadParser } from '../connection/head-parser.ts';
import type { ProxyHeader } from './proxy-header.ts';
import { parseVersion1 } from './version-1.ts';
import { parseVersion2, signature } from './version-2.ts';

export interface ProxyHeaderOptions {
  /** The longest header of version 2 taken, in bytes. Default 4096; 65 551 is the longest there can be. */
  readonly limitBytes?: number;
}

const version1Start = Uint8Array.from('PROXY ', (character) => character.charCodeAt(0));

/**
 * Reads a PROXY header of either version (HAProxy, "The PROXY protocol", section 2) and consumes exactly that. A header
 * that is whole in one range is read in place (`bench/core/proxy-protocol/parse.bench.ts`).
 */
export class ProxyHeaderParser implements HeadParser<ProxyHeader> {
  readonly #limitBytes: number;
  #collected: ByteBuffer | undefined;

  constructor(options: ProxyHeaderOptions = {}) {
    this.#limitBytes = options.limitBytes ?? 4096;
  }

  push(view: Uint8Array): HeadAnswer<ProxyHeader> {
    if (this.#collected !== undefined) {
      this.#collected.append(view);
      return this.#parse(this.#collected.bytes);
    }
    const answer = this.#parse(view);
    if (answer.kind === 'need-more') {
      this.#collected = new ByteBuffer();
      this.#collected.append(view);
    }
    return answer;
  }

  /** Looks at the start again for every range, at the rest once it is whole. */
  #parse(bytes: Uint8Array): HeadAnswer<ProxyHeader> {
    if (startsWith(bytes, version1Start)) {
      return bytes.length < version1Start.length ? needMore : parseVersion1(bytes);
    }
    return startsWith(bytes, signature) ? parseVersion2(bytes, this.#limitBytes) : absent;
  }
}

/** As far as there are bytes. */
function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  const length = Math.min(bytes.length, start.length);
  for (let index = 0; index < length; index += 1) if (bytes[index] !== start[index]) return false;
  return true;
}
