import { ByteBuffer } from '../connection/byte-buffer.ts';
import { malformed, needMore } from '../connection/head-parser.ts';
import type { HeadAnswer, HeadParser } from '../connection/head-parser.ts';

/** What an MQTT client says first, as far as its session is led by it. */
export interface MqttConnect {
  /** Empty: the broker is to choose one. */
  readonly clientId: string;
}

export interface ConnectPacketOptions {
  /** The one that is expected: `MQTT`; `MQIsdp` in MQTT 3.1. */
  readonly protocolName: string;
  /** The one that is expected: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5. */
  readonly protocolLevel: number;
  /** The longest beginning of a packet that is read. Bytes; default 16 384. */
  readonly limitBytes?: number;
}

/** Asks for so many bytes, is given them, and answers. */
type Fields<T> = Generator<number, T, Uint8Array>;

/** The type in the high bits; the low ones are reserved, and 0. */
const CONNECT = 0x10;
const FLAGS_AND_KEEP_ALIVE_BYTES = 3;
/** Far longer than any there is. */
const LONGEST_PROTOCOL_NAME = 64;

const nothing = new Uint8Array();
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/**
 * Reads a CONNECT of MQTT 3.1, 3.1.1 or 5 (section 3.1 of each) up to the client's id, and consumes nothing. What comes
 * after the id is for the broker to judge. Reasons are in the words of APISIX. A packet that is whole in one range is read in
 * place (`bench/core/mqtt/connect-packet.bench.ts`).
 */
export class ConnectPacketParser implements HeadParser<MqttConnect> {
  readonly #protocolName: string;
  readonly #protocolLevel: number;
  readonly #limitBytes: number;
  readonly #fields: Fields<HeadAnswer<MqttConnect>>;
  #step: IteratorResult<number, HeadAnswer<MqttConnect>>;
  #collected: ByteBuffer | undefined;
  /** Where the next field begins. */
  #at = 0;
  /** Where the packet ends, once that is known. */
  #end = Infinity;
  #readBytes = 0;

  constructor({ protocolName, protocolLevel, limitBytes = 16_384 }: ConnectPacketOptions) {
    this.#protocolName = protocolName;
    this.#protocolLevel = protocolLevel;
    this.#limitBytes = limitBytes;
    this.#fields = this.#readFields();
    this.#step = this.#fields.next(nothing);
  }

  /** What is wrong when no more bytes come after a `need-more`. */
  get shortage(): string {
    return tooShort(this.#at + (this.#step.done === true ? 0 : this.#step.value), this.#readBytes);
  }

  push(view: Uint8Array): HeadAnswer<MqttConnect> {
    this.#readBytes += view.length;
    this.#collected?.append(view);
    const answer = this.#read(this.#collected?.bytes ?? view);
    if (answer.kind === 'need-more' && this.#collected === undefined) {
      this.#collected = new ByteBuffer();
      this.#collected.append(view);
    }
    return answer;
  }

  /** Each field once, when all of it is there. */
  #read(bytes: Uint8Array): HeadAnswer<MqttConnect> {
    while (this.#step.done !== true) {
      const end = this.#at + this.#step.value;
      if (end > this.#end) return malformed(tooShort(end, this.#end));
      if (end > this.#limitBytes) return malformed(tooLong(`len: at most ${this.#limitBytes}`, end));
      if (end > bytes.length) return needMore;
      const field = bytes.subarray(this.#at, end);
      this.#at = end;
      this.#step = this.#fields.next(field);
    }
    return this.#step.value;
  }

  *#readFields(): Fields<HeadAnswer<MqttConnect>> {
    const type = u8(yield 1);
    if (type !== CONNECT) return malformed(`Received unexpected MQTT packet type+flags: ${type}`);
    const remainingBytes = yield* variableLength();
    if (remainingBytes === undefined) return malformed(tooLong('remaining length: at most 4 bytes', 'more'));
    this.#end = this.#at + remainingBytes;

    const nameBytes = u16(yield 2);
    const name =
      nameBytes > LONGEST_PROTOCOL_NAME ? `one of ${nameBytes} bytes` : lenient.decode(yield nameBytes);
    if (name !== this.#protocolName) {
      return malformed(`expect protocol name: ${this.#protocolName}, but got ${name}`);
    }
    const level = u8(yield 1);
    if (level !== this.#protocolLevel) {
      return malformed(`expect protocol level: ${this.#protocolLevel}, but got ${level}`);
    }
    yield FLAGS_AND_KEEP_ALIVE_BYTES;
    if (level === 5) {
      const propertyBytes = yield* variableLength();
      if (propertyBytes === undefined) return malformed(tooLong('property length: at most 4 bytes', 'more'));
      yield propertyBytes;
    }
    return parseClientId(yield u16(yield 2));
  }
}

/** A Variable Byte Integer (MQTT 5 section 1.5.5). Undefined: its fourth byte is not the last one. */
function* variableLength(): Fields<number | undefined> {
  let length = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = u8(yield 1);
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return length;
  }
  return undefined;
}

/** U+0000 is forbidden; a byte order mark is a character like others (MQTT 5 section 1.5.4). */
function parseClientId(bytes: Uint8Array): HeadAnswer<MqttConnect> {
  const fault = malformed('failed to parse mqtt request, expect client id: UTF-8 without U+0000');
  try {
    const clientId = strict.decode(bytes);
    return clientId.includes('\0') ? fault : { kind: 'parsed', value: { clientId }, consumedBytes: 0 };
  } catch {
    // Not UTF-8.
    return fault;
  }
}

function u8([value = 0]: Uint8Array): number {
  return value;
}

function u16([high = 0, low = 0]: Uint8Array): number {
  return (high << 8) | low;
}

function tooShort(expectedBytes: number, foundBytes: number): string {
  return `failed to parse mqtt request, expect len: ${expectedBytes} but got ${foundBytes}`;
}

function tooLong(expected: string, found: number | string): string {
  return `failed to parse mqtt request, expect ${expected} but got ${found}`;
}
