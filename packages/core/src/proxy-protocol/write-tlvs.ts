import type { ProxySsl, ProxyTlvs } from './proxy-header.ts';
import { LONGEST_ALPN, LONGEST_UNIQUE_ID, sslBits, tlvTypes } from './tlv-types.ts';

const utf8 = new TextEncoder();

/** One TLV. */
export function tlv(type: number, value: Uint8Array): Uint8Array {
  if (value.length > 0xffff) throw new TypeError(`a TLV of ${value.length} bytes`);
  return concat([Uint8Array.of(type, value.length >>> 8, value.length), value]);
}

/** All that are set, in the order of their types. */
export function writeTlvs({ alpn, authority, uniqueId, ssl, netns, others = [] }: ProxyTlvs): Uint8Array[] {
  if (uniqueId !== undefined && uniqueId.length > LONGEST_UNIQUE_ID) {
    throw new TypeError(`a unique id of ${uniqueId.length} bytes`);
  }
  if (alpn !== undefined && alpn.length > LONGEST_ALPN)
    throw new TypeError(`an ALPN of ${alpn.length} bytes`);
  return [
    ...optional(tlvTypes.alpn, alpn === undefined ? undefined : latin1(alpn)),
    ...text(tlvTypes.authority, authority),
    ...optional(tlvTypes.uniqueId, uniqueId),
    ...optional(tlvTypes.ssl, ssl === undefined ? undefined : sslValue(ssl)),
    ...text(tlvTypes.netns, netns),
    ...others.map(({ type, value }) => tlv(type, value)),
  ];
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function sslValue(ssl: ProxySsl): Uint8Array {
  const client =
    (ssl.isTls ? sslBits.tls : 0) |
    (ssl.hasCertificate ? sslBits.certificate : 0) |
    (ssl.hasSessionCertificate ? sslBits.sessionCertificate : 0);
  return concat([
    Uint8Array.of(client, 0, 0, 0, ssl.isVerified ? 0 : 1),
    ...text(tlvTypes.sslVersion, ssl.version),
    ...text(tlvTypes.sslCommonName, ssl.commonName),
    ...text(tlvTypes.sslCipher, ssl.cipher),
    ...text(tlvTypes.sslSignatureAlgorithm, ssl.signatureAlgorithm),
    ...text(tlvTypes.sslKeyAlgorithm, ssl.keyAlgorithm),
    ...(ssl.others ?? []).map(({ type, value }) => tlv(type, value)),
  ]);
}

function text(type: number, value: string | undefined): Uint8Array[] {
  return optional(type, value === undefined ? undefined : utf8.encode(value));
}

function optional(type: number, value: Uint8Array | undefined): Uint8Array[] {
  return value === undefined ? [] : [tlv(type, value)];
}

/** One byte a character. */
function latin1(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}
