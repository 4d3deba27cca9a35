import { ByteBuffer } from '../connection/byte-buffer.ts';
import { absent, malformed, needMore } from '../connection/head-parser.ts';
import type { HeadAnswer, HeadParser } from '../connection/head-parser.ts';
import { parseHelloMessage } from './hello-message.ts';
import type { ClientHello } from './hello-message.ts';

export interface ClientHelloOptions {
  /** The longest message taken, in bytes, its four bytes of type and length included. Default 65 536. */
  readonly limitBytes?: number;
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** RFC 8446 section 5.1. */
const LONGEST_RECORD = 16_384;

/**
 * Reads the ClientHello of TLS 1.0 to 1.3 (RFC 8446 sections 4.1.2 and 5.1) and consumes nothing: the bytes go on to
 * whoever speaks TLS. The message may be spread over records, and records over byte ranges, in any way; a message that is
 * whole in one range, as nearly all are, is read in place (`bench/core/tls/client-hello.bench.ts`).
 *
 * It answers `absent` for bytes that begin no TLS handshake, which includes the hello of SSL 2.0.
 */
export class ClientHelloParser implements HeadParser<ClientHello> {
  readonly #limitBytes: number;
  /** Bytes read of the current record's header. */
  #headerBytes = 0;
  /** Bytes of the current record that are to come. */
  #recordBytes = 0;
  #isFirstRecord = true;
  #collected: ByteBuffer | undefined;

  constructor(options: ClientHelloOptions = {}) {
    this.#limitBytes = options.limitBytes ?? 65_536;
  }

  push(view: Uint8Array): HeadAnswer<ClientHello> {
    let at = 0;
    while (at < view.length) {
      let answer: HeadAnswer<ClientHello>;
      if (this.#headerBytes < 5) {
        answer = this.#readHeader(view[at] ?? 0);
        at += 1;
      } else {
        const end = Math.min(view.length, at + this.#recordBytes);
        answer = this.#readFragment(view.subarray(at, end));
        this.#recordBytes -= end - at;
        if (this.#recordBytes === 0) this.#headerBytes = 0;
        at = end;
      }
      if (answer.kind !== 'need-more') return answer;
    }
    return needMore;
  }

  /** One byte of type, two of version, two of length. */
  #readHeader(byte: number): HeadAnswer<ClientHello> {
    this.#headerBytes += 1;
    switch (this.#headerBytes) {
      case 1:
        if (byte === HANDSHAKE) return needMore;
        return this.#isFirstRecord ? absent : malformed(`a record of type ${byte} inside the ClientHello`);
      case 2:
        if (byte === 3) return needMore;
        return this.#isFirstRecord ? absent : malformed(`a record of version ${byte} inside the ClientHello`);
      case 4:
        this.#recordBytes = byte << 8;
        return needMore;
      case 5:
        this.#isFirstRecord = false;
        this.#recordBytes |= byte;
        if (this.#recordBytes === 0) return malformed('an empty handshake record');
        if (this.#recordBytes > LONGEST_RECORD) return malformed(`a record of ${this.#recordBytes} bytes`);
        return needMore;
      default:
        // The minor version says nothing and is to be ignored.
        return needMore;
    }
  }

  #readFragment(fragment: Uint8Array): HeadAnswer<ClientHello> {
    let message = fragment;
    if (this.#collected !== undefined) {
      this.#collected.append(fragment);
      message = this.#collected.bytes;
    }
    const [type = 0, high = 0, middle = 0, low = 0] = message;
    if (type !== CLIENT_HELLO) return malformed(`a handshake message of type ${type}`);
    if (message.length >= 4) {
      const end = 4 + ((high << 16) | (middle << 8) | low);
      if (end > this.#limitBytes) return malformed(`a ClientHello of ${end} bytes`);
      if (message.length >= end) return parseHelloMessage(message, 4, end);
    }
    if (this.#collected === undefined) {
      this.#collected = new ByteBuffer();
      this.#collected.append(fragment);
    }
    return needMore;
  }
}
