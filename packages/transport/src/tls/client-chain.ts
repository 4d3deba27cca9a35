import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';

/**
 * Certificates between a client's own, which was verified, and the one that signed itself.
 * @param leaf of `getPeerCertificate(true)`.
 * @param ca PEM of the authorities that it was verified with.
 * @returns undefined when nobody can tell: servers on Node 26.8 to 26.9, and on 24 releases of that time, see nothing of
 * what the client sent beside its own certificate (nodejs/node#65579).
 */
export function countIntermediates(leaf: DetailedPeerCertificate, ca: string): number | undefined {
  const isChainSeen: boolean = leaf.issuerCertificate !== undefined;
  return isChainSeen ? countSeen(leaf) : countAmong(authoritiesIn(ca), new X509Certificate(leaf.raw));
}

/** Node ends a chain with a certificate that is its own issuer, or, if that is missing, with nothing. */
function countSeen(leaf: DetailedPeerCertificate): number {
  let count = 0;
  let at: DetailedPeerCertificate | undefined = leaf.issuerCertificate;
  while (at !== undefined && at.issuerCertificate !== at) {
    count += 1;
    at = at.issuerCertificate;
  }
  return count;
}

/** What all links are known of needs nothing that the client sent. */
function countAmong(authorities: readonly X509Certificate[], leaf: X509Certificate): number | undefined {
  let at = leaf;
  for (let count = 0; count <= authorities.length; count++) {
    const issuer = authorities.find((each) => at.checkIssued(each) && at.verify(each.publicKey));
    if (issuer === undefined) return undefined;
    if (issuer.checkIssued(issuer)) return count;
    at = issuer;
  }
  return undefined;
}

function authoritiesIn(ca: string): X509Certificate[] {
  const blocks = ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((pem) => new X509Certificate(pem));
}
