import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serviceKind, sslKind } from '../resources/index.ts';
import { decryptText, encryptText, openPrivateKeys, sealPrivateKeys } from './index.ts';

const keyring = ['qeddd145sfvddff3', 'edd1c9f0985e76a2'];
const pem = '-----BEGIN PRIVATE KEY-----\nx\n';

test('a text is encrypted as APISIX does it', () => {
  expect(encryptText('auth-one', keyring)).toBe('4y+JvURBE6ZwRbbgaryrhg==');
  expect(decryptText('4y+JvURBE6ZwRbbgaryrhg==', keyring)).toBe('auth-one');
});

test('every key of the keyring opens', () => {
  const old = encryptText('text', keyring.slice(1));

  expect(decryptText(old, keyring)).toBe('text');
});

test('a key that is not in the keyring opens nothing', () => {
  expect(decryptText(encryptText('text', ['another-16-chars']), keyring)).toBeUndefined();
});

test.for(['', 'no base64!', '4y+JvURBE6ZwRbbgaryr'])('what was never encrypted does not open: %j', (text) => {
  expect(decryptText(text, keyring)).toBeUndefined();
});

test('every text comes back, with keys of either length', () => {
  const key = fc.oneof(...[16, 32].map((length) => fc.stringMatching(new RegExp(`^[!-~]{${length}}$`))));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), key, (text, first) => {
      expect(decryptText(encryptText(text, [first]), [first])).toBe(text);
    }),
  );
});

test('private keys are encrypted where a kind has them, and nothing else is', () => {
  const ssl = { sni: 'a', key: pem, cert: pem, keys: [pem, '$env://KEY'] };
  const service = { upstream: { tls: { client_key: pem, client_cert: pem } } };
  const sealed = encryptText(pem, keyring);

  expect(sealPrivateKeys(sslKind, ssl, keyring)).toEqual({
    ...ssl,
    key: sealed,
    keys: [sealed, '$env://KEY'],
  });
  expect(sealPrivateKeys(serviceKind, service, keyring)).toEqual({
    upstream: { tls: { client_key: sealed, client_cert: pem } },
  });
  expect(sealPrivateKeys(serviceKind, {}, keyring)).toEqual({});
});

test('sealed private keys open again, and twice is the same as once', () => {
  const ssl = { key: pem, keys: [pem] };
  const sealed = sealPrivateKeys(sslKind, ssl, keyring);

  expect(sealPrivateKeys(sslKind, sealed, keyring)).toEqual(sealed);
  expect(openPrivateKeys(sslKind, sealed, keyring)).toEqual(ssl);
  expect(openPrivateKeys(sslKind, ssl, keyring)).toEqual(ssl);
});

test('a private key that no key opens is told', () => {
  expect(openPrivateKeys(sslKind, { key: 'junk' }, keyring)).toBeUndefined();
});

test('without a keyring nothing changes', () => {
  expect(sealPrivateKeys(sslKind, { key: pem }, [])).toEqual({ key: pem });
  expect(openPrivateKeys(sslKind, { key: 'junk' }, [])).toEqual({ key: 'junk' });
});
