import { describe, expect, test } from 'vitest';
import { testPairs } from '../contract/test-pairs.ts';
import { checkResource } from './check-resource.ts';
import type { CheckContext } from './resource-kind.ts';
import { sslKind } from './ssl.ts';

const context: CheckContext = { plugins: new Map(), streamPlugins: new Map(), balancers: new Set() };
const { one, two } = testPairs;
const valid = { ...one, sni: 'one.example.com' };
const junk = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(128)}\n-----END CERTIFICATE-----\n`;
const sealed = 'c2VhbGVk'.repeat(20);

function check(ssl: object, isStored = false) {
  return checkResource(sslKind, ssl, { ...context, isStored });
}

describe('an ssl', () => {
  test.for([
    ['for one name', valid],
    ['for several names', { ...one, snis: ['one.example.com', '*.example.com'] }],
    ['for upstreams, without a name', { ...one, type: 'client' }],
    ['with a second pair', { ...valid, certs: [two.cert], keys: [two.key] }],
    ['that asks clients who they are', { ...valid, client: { ca: two.cert, depth: 0 } }],
    ['with references to secrets', { sni: '*', cert: '$secret://vault/1/a/b', key: '$ENV://KEY' }],
    ['with a reference to its key alone', { ...valid, key: '$env://KEY' }],
    ['switched off', { ...valid, status: 0, ssl_protocols: ['TLSv1.2', 'TLSv1.3'] }],
  ] as const)('%s passes', ([, ssl]) => {
    expect(check(ssl)).toMatchObject({ ok: true, document: ssl });
  });

  test.for([
    ['no name', one, 'invalid configuration: then clause did not match'],
    ['both forms of names', { ...valid, snis: ['a'] }, 'invalid configuration: then clause did not match'],
    ['no key', { sni: 'a', cert: one.cert }, 'invalid configuration: then clause did not match'],
    [
      'no key for upstreams',
      { type: 'client', cert: one.cert },
      'invalid configuration: else clause did not match',
    ],
    ['a name', { ...valid, name: 'x' }, 'invalid configuration: additional properties forbidden, found name'],
    ['more keys than certs', { ...valid, keys: [two.key] }, 'mismatched number of certs and keys'],
    ['the key of another', { ...valid, key: two.key }, 'the key does not belong to the cert'],
    [
      'the key of another in a further pair',
      { ...valid, certs: [one.cert, two.cert], keys: [one.key, one.key] },
      'failed to handle cert-key pair[2]: the key does not belong to the cert',
    ],
  ] as const)('with %s is refused', ([, ssl, message]) => {
    expect(check(ssl)).toEqual({ ok: false, message });
  });

  test.for([
    ['a certificate', { ...valid, cert: junk }, /^failed to parse cert: /],
    ['a key', { ...valid, key: 'k'.repeat(64) }, /^failed to parse key: /],
    ['a CA', { ...valid, client: { ca: junk } }, /^failed to validate client_cert: failed to parse cert: /],
  ] as const)('with %s that cannot be read is refused', ([, ssl, message]) => {
    const result = check(ssl);

    expect(result.ok ? '' : result.message).toMatch(message);
  });

  test('found stored may have encrypted keys', () => {
    const ssl = { ...valid, key: sealed, certs: [two.cert], keys: [sealed] };

    expect(check(ssl, true)).toMatchObject({ ok: true, document: ssl });
    expect(check({ ...valid, key: two.key }, true)).toMatchObject({ ok: false });
  });

  test('has its defaults', () => {
    expect(check({ ...valid, client: { ca: two.cert } })).toMatchObject({
      document: { type: 'server', status: 1, client: { depth: 1 } },
    });
  });
});
