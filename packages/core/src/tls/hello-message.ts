import { ByteReader } from '../connection/byte-reader.ts';
import { malformed } from '../connection/head-parser.ts';
import type { HeadAnswer } from '../connection/head-parser.ts';
import { isDnsName, normalizeServerName } from './server-name.ts';

/** What a TLS client says before anything is encrypted, as far as connections are routed by it. */
export interface ClientHello {
  /**
   * The name it asks for: lower case, without a trailing dot, made of DNS labels. With Encrypted ClientHello this is the
   * outer name, which stands for the provider and not for the site.
   */
  readonly serverName: string | undefined;
  /** The protocols it offers, in its order, one character a byte. Reserved values (GREASE, RFC 8701) are left out. */
  readonly alpn: readonly string[];
  /**
   * The versions it offers in `supported_versions`, in its order, without reserved values: 0x0304 is TLS 1.3. Without that
   * extension the one of `legacy_version`, which stands for it and all below.
   */
  readonly versions: readonly number[];
  /**
   * The first 16 bytes of every session ticket it brings, one character a byte: by them a server knows the key that a
   * ticket was made with (RFC 5077 section 4). Shorter tickets are passed over.
   */
  readonly ticketNames: readonly string[];
}

const SERVER_NAME = 0;
const ALPN = 16;
const SESSION_TICKET = 35;
const PRE_SHARED_KEY = 41;
const SUPPORTED_VERSIONS = 43;
const HOST_NAME = 0;
const TICKET_NAME_BYTES = 16;

/**
 * The body of a ClientHello (RFC 8446 section 4.1.2), `bytes` from `start` to `end`. What is read has to have one
 * meaning only: a repeated extension or a second name is refused, because another reader might take the other one.
 */
export function parseHelloMessage(bytes: Uint8Array, start: number, end: number): HeadAnswer<ClientHello> {
  const reader = new ByteReader(bytes, start, end);
  const legacyVersion = reader.u16();
  reader.skip(32);
  const sessionIdBytes = reader.u8();
  reader.skip(sessionIdBytes);
  const cipherBytes = reader.u16();
  reader.skip(cipherBytes);
  const compressionBytes = reader.u8();
  reader.skip(compressionBytes);
  if (reader.isTruncated) return malformed('the ClientHello ends inside a field');
  if (sessionIdBytes > 32) return malformed(`a session id of ${sessionIdBytes} bytes`);
  if (cipherBytes < 2 || cipherBytes % 2 === 1) return malformed(`cipher suites of ${cipherBytes} bytes`);
  if (compressionBytes === 0) return malformed('no compression method');

  const extensions = new Extensions();
  // TLS 1.2 and older may leave extensions out, with their length (RFC 5246 section 7.4.1.2).
  const fault = reader.left === 0 ? undefined : extensions.read(reader);
  if (fault !== undefined) return malformed(fault);
  const { serverName, alpn = [], versions = [legacyVersion], ticketNames } = extensions;
  return { kind: 'parsed', value: { serverName, alpn, versions, ticketNames }, consumedBytes: 0 };
}

/** Each method reads one thing and answers what is wrong with it, if anything. */
class Extensions {
  serverName: string | undefined;
  alpn: string[] | undefined;
  versions: number[] | undefined;
  readonly ticketNames: string[] = [];

  read(reader: ByteReader): string | undefined {
    if (reader.u16() !== reader.left) return 'extensions that do not end where the ClientHello does';
    while (reader.left > 0) {
      const type = reader.u16();
      const length = reader.u16();
      const fault = this.#readOne(type, length, reader);
      if (fault !== undefined) return fault;
      if (reader.isTruncated) return 'an extension longer than the ClientHello';
    }
    return undefined;
  }

  #readOne(type: number, length: number, reader: ByteReader): string | undefined {
    if (length > reader.left) return 'an extension longer than the ClientHello';
    switch (type) {
      case SERVER_NAME:
        return this.#readServerName(reader.part(length));
      case ALPN:
        return this.#readAlpn(reader.part(length));
      case SUPPORTED_VERSIONS:
        return this.#readVersions(reader.part(length));
      case SESSION_TICKET:
        this.#readTicket(reader.part(length));
        return undefined;
      case PRE_SHARED_KEY:
        return this.#readIdentities(reader.part(length));
      default:
        reader.skip(length);
        return undefined;
    }
  }

  /** RFC 6066 section 3. Names of a type that is not known have no use here and are passed over. */
  #readServerName(reader: ByteReader): string | undefined {
    if (this.serverName !== undefined) return 'a second server_name';
    if (reader.u16() !== reader.left || reader.left === 0) return 'a server_name list of a wrong length';
    while (reader.left > 0) {
      const type = reader.u8();
      const length = reader.u16();
      if (reader.isTruncated || length > reader.left) return 'a server_name longer than its list';
      if (type !== HOST_NAME) {
        reader.skip(length);
        continue;
      }
      if (this.serverName !== undefined) return 'two host names in server_name';
      // The longest name of the DNS, and its dot.
      if (length > 254) return `a server_name of ${length} bytes`;
      this.serverName = normalizeServerName(reader.text(length));
      if (!isDnsName(this.serverName)) return 'a server_name that is no DNS name';
    }
    return undefined;
  }

  /** RFC 7301 section 3.1. */
  #readAlpn(reader: ByteReader): string | undefined {
    if (this.alpn !== undefined) return 'a second ALPN extension';
    if (reader.u16() !== reader.left || reader.left === 0) return 'an ALPN list of a wrong length';
    this.alpn = [];
    while (reader.left > 0) {
      const name = reader.text(reader.u8());
      if (reader.isTruncated) return 'an ALPN name longer than its list';
      if (name === '') return 'an empty ALPN name';
      const first = name.charCodeAt(0);
      if (name.length !== 2 || !isReserved((first << 8) | name.charCodeAt(1))) this.alpn.push(name);
    }
    return undefined;
  }

  /** RFC 8446 section 4.2.1. */
  #readVersions(reader: ByteReader): string | undefined {
    if (this.versions !== undefined) return 'a second supported_versions';
    const length = reader.u8();
    if (length !== reader.left || length === 0 || length % 2 === 1) {
      return 'a supported_versions list of a wrong length';
    }
    this.versions = [];
    while (reader.left > 0) {
      const version = reader.u16();
      if (!isReserved(version)) this.versions.push(version);
    }
    return undefined;
  }

  #readTicket(ticket: ByteReader): void {
    if (ticket.left >= TICKET_NAME_BYTES) this.ticketNames.push(ticket.text(TICKET_NAME_BYTES));
  }

  /** RFC 8446 section 4.2.11: in TLS 1.3 a ticket is an identity. The binders after the list are not looked at. */
  #readIdentities(reader: ByteReader): string | undefined {
    const identities = reader.part(reader.u16());
    while (identities.left > 0) {
      this.#readTicket(identities.part(identities.u16()));
      identities.u32();
    }
    return reader.isTruncated || identities.isTruncated ? 'a pre_shared_key longer than its list' : undefined;
  }
}

/** GREASE: 0x0a0a, 0x1a1a, ... 0xfafa (RFC 8701 section 2). */
function isReserved(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff);
}
