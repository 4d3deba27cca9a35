/** The registered types of section 2.2. */
export const tlvTypes = {
  alpn: 0x01,
  authority: 0x02,
  checksum: 0x03,
  padding: 0x04,
  uniqueId: 0x05,
  ssl: 0x20,
  sslVersion: 0x21,
  sslCommonName: 0x22,
  sslCipher: 0x23,
  sslSignatureAlgorithm: 0x24,
  sslKeyAlgorithm: 0x25,
  netns: 0x30,
} as const;

/** The bits of the field `client`, section 2.2.6. */
export const sslBits = { tls: 1, certificate: 2, sessionCertificate: 4 } as const;

/** Section 2.2.5. */
export const LONGEST_UNIQUE_ID = 128;

/** RFC 7301 section 3.1. */
export const LONGEST_ALPN = 255;
