import type { X509Certificate } from 'node:crypto';
import type { TlsFacts } from '@apisix-ts/transport';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The variables of TLS that ended here, as nginx has them. */
export const tlsVariables: Readonly<Record<string, (tls: TlsFacts) => string | number | undefined>> = {
  ssl_protocol: ({ protocol }) => protocol,
  ssl_cipher: ({ cipher }) => cipher,
  ssl_server_name: ({ serverName }) => serverName,
  ssl_alpn_protocol: ({ alpn }) => alpn,
  ssl_session_reused: ({ isResumed }) => (isResumed ? 'r' : '.'),
  // Whoever fails gets no session.
  ssl_client_verify: ({ isPeerVerified }) => (isPeerVerified ? 'SUCCESS' : 'NONE'),
  ssl_client_s_dn: ofCertificate(({ subject }) => distinguishedName(subject)),
  ssl_client_i_dn: ofCertificate(({ issuer }) => distinguishedName(issuer)),
  ssl_client_serial: ofCertificate(({ serialNumber }) => serialNumber),
  ssl_client_fingerprint: ofCertificate(({ fingerprint }) => fingerprint.replaceAll(':', '').toLowerCase()),
  ssl_client_v_start: ofCertificate(({ validFrom }) => validFrom),
  ssl_client_v_end: ofCertificate(({ validTo }) => validTo),
  ssl_client_v_remain: ofCertificate(({ validTo }) =>
    Math.max(0, Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS)),
  ),
  ssl_client_raw_cert: ofCertificate((certificate) => certificate.toString()),
};

function ofCertificate<V>(read: (certificate: X509Certificate) => V): (tls: TlsFacts) => V | undefined {
  return ({ clientCertificate }) => clientCertificate && read(clientCertificate);
}

/**
 * As RFC 2253 writes it: `CN=client,O=Example\, Inc.,C=DE`.
 * @param lines as Node has a name: a line for each part, escaped, the outermost first; some parts have several members.
 */
function distinguishedName(lines: string): string {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' + ').toReversed().join('+'))
    .toReversed()
    .join(',')
    .replace(/[^\x20-\x7e]/gu, hexPairs);
}

function hexPairs(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `\\${byte.toString(16).padStart(2, '0').toUpperCase()}`)
    .join('');
}
