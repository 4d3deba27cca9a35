import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import { makeCertificate } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import { countIntermediates } from './client-chain.ts';

const root = await makeCertificate({ names: ['The root'], use: 'ca' });
const middle = await makeCertificate({ names: ['The middle'], use: 'ca', ca: root });
const lower = await makeCertificate({ names: ['The lower'], use: 'ca', ca: middle });
const namesake = await makeCertificate({ names: ['The root'], use: 'ca' });
const byRoot = await makeCertificate({ names: ['client'], use: 'client', ca: root });
const byLower = await makeCertificate({ names: ['client'], use: 'client', ca: lower });

/** What a server has of the client where Node drops the rest. */
function alone(cert: string): DetailedPeerCertificate {
  return { raw: new X509Certificate(cert).raw } as DetailedPeerCertificate;
}

test.for<readonly [string, string, string, number | undefined]>([
  ['signed by the authority', byRoot.cert, root.cert, 0],
  ['with all between among the authorities', byLower.cert, root.cert + middle.cert + lower.cert, 2],
  ['the authority itself', root.cert, root.cert, 0],
  ['with one between that only the client has shown', byLower.cert, root.cert + middle.cert, undefined],
  ['of an authority with the same name', byRoot.cert, namesake.cert, undefined],
])('without its chain, a certificate %s', ([, cert, ca, count]) => {
  expect(countIntermediates(alone(cert), ca)).toBe(count);
});
