import type { ByteReader } from '../connection/byte-reader.ts';
import { crc32c } from './crc32c.ts';
import type { ProxySsl, ProxyTlv, ProxyTlvs } from './proxy-header.ts';
import { LONGEST_ALPN, LONGEST_UNIQUE_ID, sslBits, tlvTypes } from './tlv-types.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Of these a second one would say something else than the first. */
const onceTypes: ReadonlySet<number> = new Set([
  tlvTypes.alpn,
  tlvTypes.authority,
  tlvTypes.checksum,
  tlvTypes.uniqueId,
  tlvTypes.ssl,
  tlvTypes.netns,
]);

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Reads the TLVs of a header. Values are copied. A known type comes once. */
export class TlvReader {
  readonly found: Writable<ProxyTlvs> = {};
  readonly #header: Uint8Array;
  readonly #others: ProxyTlv[] = [];
  #seen: Set<number> | undefined;

  /** @param header all of it, for the checksum. */
  constructor(header: Uint8Array) {
    this.#header = header;
  }

  /** @returns what is wrong with them, if anything. */
  read(reader: ByteReader): string | undefined {
    while (reader.left > 0) {
      const type = reader.u8();
      const part = reader.part(reader.u16());
      if (reader.isTruncated) return 'a TLV longer than the header';
      const fault = this.#readOne(type, part);
      if (fault !== undefined) return fault;
    }
    if (this.#others.length > 0) this.found.others = this.#others;
    return undefined;
  }

  #readOne(type: number, part: ByteReader): string | undefined {
    if (onceTypes.has(type)) {
      this.#seen ??= new Set();
      if (this.#seen.has(type)) return `a second TLV of type 0x${type.toString(16)}`;
      this.#seen.add(type);
    }
    switch (type) {
      case tlvTypes.checksum:
        return this.#check(part);
      case tlvTypes.ssl:
        return this.#readSsl(part);
      case tlvTypes.uniqueId:
        if (part.left > LONGEST_UNIQUE_ID) return `a unique id of ${part.left} bytes`;
        this.found.uniqueId = copy(part.take(part.left));
        return undefined;
      case tlvTypes.alpn:
        if (part.left > LONGEST_ALPN) return `an ALPN of ${part.left} bytes`;
        this.found.alpn = part.text(part.left);
        return undefined;
      case tlvTypes.authority:
        this.found.authority = utf8.decode(part.take(part.left));
        return undefined;
      case tlvTypes.netns:
        this.found.netns = utf8.decode(part.take(part.left));
        return undefined;
      case tlvTypes.padding:
        return undefined;
      default:
        this.#others.push({ type, value: copy(part.take(part.left)) });
        return undefined;
    }
  }

  /** Section 2.2.3: the checksum of the header with zeros in the checksum's place. */
  #check(part: ByteReader): string | undefined {
    if (part.left !== 4) return `a CRC32c of ${part.left} bytes`;
    const at = part.position;
    const before = crc32c(new Uint8Array(4), crc32c(this.#header.subarray(0, at)));
    return crc32c(this.#header.subarray(at + 4), before) === part.u32()
      ? undefined
      : 'a CRC32c that does not match';
  }

  /** Section 2.2.6. */
  #readSsl(part: ByteReader): string | undefined {
    const client = part.u8();
    const verify = part.u32();
    if (part.isTruncated) return 'an SSL TLV that ends early';
    const hasCertificate = (client & sslBits.certificate) !== 0;
    const hasSessionCertificate = (client & sslBits.sessionCertificate) !== 0;
    const ssl: Writable<ProxySsl> = {
      isTls: (client & sslBits.tls) !== 0,
      hasCertificate,
      hasSessionCertificate,
      isVerified: verify === 0 && (hasCertificate || hasSessionCertificate),
    };
    const others: ProxyTlv[] = [];
    while (part.left > 0) {
      const type = part.u8();
      const value = part.take(part.u16());
      if (part.isTruncated) return 'a TLV longer than the SSL TLV';
      readSslPart(ssl, type, value, others);
    }
    if (others.length > 0) ssl.others = others;
    this.found.ssl = ssl;
    return undefined;
  }
}

function readSslPart(ssl: Writable<ProxySsl>, type: number, value: Uint8Array, others: ProxyTlv[]): void {
  switch (type) {
    case tlvTypes.sslVersion:
      ssl.version = utf8.decode(value);
      return;
    case tlvTypes.sslCommonName:
      ssl.commonName = utf8.decode(value);
      return;
    case tlvTypes.sslCipher:
      ssl.cipher = utf8.decode(value);
      return;
    case tlvTypes.sslSignatureAlgorithm:
      ssl.signatureAlgorithm = utf8.decode(value);
      return;
    case tlvTypes.sslKeyAlgorithm:
      ssl.keyAlgorithm = utf8.decode(value);
      return;
    default:
      others.push({ type, value: copy(value) });
  }
}

/** `slice` of a Buffer would be a view. */
function copy(view: Uint8Array): Uint8Array {
  return new Uint8Array(view);
}
