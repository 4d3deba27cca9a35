/** What a server has to know before it can choose how to answer. */
export interface ClientHello {
  /** As it was sent; undefined if none was. */
  readonly serverName: string | undefined;
  /** The first 16 bytes, in hex, of each ticket that the client brings: our tickets have the name of their key there. */
  readonly ticketKeyNames: readonly string[];
}

/** `needMore`: all is well so far. `notTls`: this is no TLS record. `malformed`: it is one, and no ClientHello. */
export type ClientHelloReading = ClientHello | 'needMore' | 'notTls' | 'malformed';

const handshakeRecord = 22;
const clientHelloMessage = 1;
const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
/** RFC 8446 section 5.1: of a record that is not encrypted. */
const maxRecordBytes = 1 << 14;
/** A ClientHello with every known extension and key share has less than 4 KiB. Record headers count. */
const maxHelloBytes = 1 << 16;
const keyNameBytes = 16;

const serverNameExtension = 0;
const sessionTicketExtension = 35;
const preSharedKeyExtension = 41;

/**
 * Reads the ClientHello that a TLS connection begins with (RFC 8446 section 4.1.2), spread over whatever records.
 * @param bytes the connection's first ones, so many as there are.
 */
export function readClientHello(bytes: Buffer): ClientHelloReading {
  const message = joinRecords(bytes);
  if (typeof message === 'string') return message;
  try {
    return readMessage(message);
  } catch (error) {
    // A length that leads out of the message.
    if (error instanceof RangeError) return 'malformed';
    throw error;
  }
}

/** The first handshake message, without its header. */
function joinRecords(bytes: Buffer): Buffer | 'needMore' | 'notTls' | 'malformed' {
  const parts: Buffer[] = [];
  let partBytes = 0;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== handshakeRecord || (bytes[at + 1] ?? 3) !== 3) return at === 0 ? 'notTls' : 'malformed';
    if (bytes.length < at + recordHeaderBytes) break;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > maxRecordBytes) return 'malformed';
    at += recordHeaderBytes;
    const part = bytes.subarray(at, at + length);
    parts.push(part);
    partBytes += part.length;
    at += length;
  }
  const [first] = parts;
  if (first?.[0] !== undefined && first[0] !== clientHelloMessage) return 'malformed';
  const joined = first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
  const messageBytes =
    partBytes < messageHeaderBytes ? Infinity : messageHeaderBytes + joined.readUIntBE(1, 3);
  if (partBytes >= messageBytes) return joined.subarray(messageHeaderBytes, messageBytes);
  if (bytes.length > maxHelloBytes || (messageBytes !== Infinity && messageBytes > maxHelloBytes))
    return 'malformed';
  return 'needMore';
}

function readMessage(message: Buffer): ClientHello | 'malformed' {
  const versionAndRandomBytes = 34;
  const body = new Cursor(message.subarray(versionAndRandomBytes));
  body.take(1);
  body.take(2);
  body.take(1);
  let serverName: string | undefined;
  const ticketKeyNames: string[] = [];
  const extensions = new Cursor(body.isAtEnd ? Buffer.alloc(0) : body.take(2));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = extensions.take(2);
    if (type === serverNameExtension) serverName = readServerName(content);
    if (type === sessionTicketExtension) ticketKeyNames.push(keyNameOf(content));
    if (type === preSharedKeyExtension) ticketKeyNames.push(...readIdentities(content).map(keyNameOf));
  }
  return { serverName, ticketKeyNames };
}

/** RFC 6066 section 3: host names are the only kind of name there is. */
function readServerName(content: Buffer): string {
  const names = new Cursor(new Cursor(content).take(2));
  names.number(1);
  return names.take(2).toString('latin1');
}

/** RFC 8446 section 4.2.11. */
function readIdentities(content: Buffer): Buffer[] {
  const ageBytes = 4;
  const list = new Cursor(new Cursor(content).take(2));
  const identities: Buffer[] = [];
  while (!list.isAtEnd) {
    identities.push(list.take(2));
    list.number(ageBytes);
  }
  return identities;
}

function keyNameOf(ticket: Buffer): string {
  return ticket.toString('hex', 0, keyNameBytes);
}

/** Reads from front to back; what leads beyond the end throws RangeError. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(width: number): number {
    const value = this.#bytes.readUIntBE(this.#at, width);
    this.#at += width;
    return value;
  }

  /** A vector: its length in `width` bytes, then itself. */
  take(width: number): Buffer {
    const length = this.number(width);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('a vector that leads out of its message');
    const vector = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return vector;
  }
}
