import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '@apisix-ts/testkit';
import type { TestCertificate } from '@apisix-ts/testkit';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { adminTls } from './admin-tls.ts';
import { readSettings } from './read-settings.ts';
import type { Settings } from './settings.ts';
import { settingsFrom } from './settings-from.ts';

let home: string;
let ca: TestCertificate;
let pair: TestCertificate;
let other: TestCertificate;

beforeAll(async () => {
  [ca, other] = await Promise.all([
    makeCertificate({ names: ['authority'], use: 'ca' }),
    makeCertificate({ names: ['other'] }),
  ]);
  pair = await makeCertificate({ names: ['admin.test'], ca });
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'admin-tls-'));
  mkdirSync(join(home, 'conf'));
  write('tls.pem', pair.cert + ca.cert);
  write('tls.key', pair.key);
  write('clients.pem', `${ca.cert}\n${other.cert}`);
});
afterEach(() => rmSync(home, { recursive: true }));

const path = (name: string): string => join(home, 'conf', name);
const write = (name: string, text: string): void => writeFileSync(path(name), text);
const both = { admin_ssl_cert: 'tls.pem', admin_ssl_cert_key: 'tls.key' };

/** Reads config.yaml with these settings. JSON is YAML. */
function read(admin_api_mtls: object | undefined, ssl: object = {}, more: object = {}): Settings {
  const admin = { https_admin: true, ...(admin_api_mtls === undefined ? {} : { admin_api_mtls }) };
  write('config.yaml', JSON.stringify({ apisix: { ssl, ...more }, deployment: { admin } }));
  return readSettings({ home, env: {} }).settings;
}

describe('https_admin', () => {
  test('takes its files from conf/, and its versions and ciphers from apisix.ssl', () => {
    const files = { ...both, admin_ssl_ca_cert: 'clients.pem' };
    const ssl = { ssl_protocols: 'TLSv1.3 TLSv1.2', ssl_ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };

    expect(adminTls(read(files, ssl), home)).toStrictEqual({
      cert: pair.cert + ca.cert,
      key: pair.key,
      clientCa: `${ca.cert}\n${other.cert}`,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    });
  });

  test('off means no TLS, whatever the files are', () => {
    write('config.yaml', 'deployment: {admin: {https_admin: false, admin_api_mtls: {admin_ssl_cert: none}}}');

    expect(adminTls(readSettings({ home, env: {} }).settings, home)).toBeUndefined();
  });

  test('does not look at files while there is no Admin API', () => {
    expect(() => read({ ...both, admin_ssl_cert: 'none.pem' }, {}, { enable_admin: false })).not.toThrow();
  });

  test.for([
    ['without files', undefined],
    ['without a certificate', { admin_ssl_cert_key: 'tls.key' }],
    ['without a key', { admin_ssl_cert: 'tls.pem' }],
    ['with an empty name', { ...both, admin_ssl_cert: '' }],
  ] as const)('%s is refused in the words of APISIX', ([, files]) => {
    expect(() => read(files)).toThrow(
      expect.objectContaining({
        code: 'SETTINGS_INVALID',
        message: expect.stringContaining('missing ssl cert for https admin'),
      }),
    );
  });

  test('is refused without files in a program, too', () => {
    expect(() => settingsFrom({ deployment: { admin: { https_admin: true } } })).toThrow(
      'missing ssl cert for https admin',
    );
  });
});

describe('a file that cannot be used is refused, with its setting and its path:', () => {
  const certificate = 'admin_ssl_cert: expected the path of a certificate in PEM, relative to conf/';
  const key = 'admin_ssl_cert_key: expected the path of its private key in PEM, relative to conf/';

  test.for([
    ['it is not there', { ...both, admin_ssl_cert: 'none.pem' }, 'none.pem: ENOENT', certificate],
    ['it is a folder', { ...both, admin_ssl_cert: '.' }, 'conf: EISDIR', certificate],
    [
      'no certificate',
      { ...both, admin_ssl_cert: 'tls.key' },
      'tls.key: failed to parse cert: ',
      certificate,
    ],
    ['no key', { ...both, admin_ssl_cert_key: 'tls.pem' }, 'tls.pem: failed to parse key: ', key],
    [
      'a key of another',
      { ...both, admin_ssl_cert_key: 'other.key' },
      'other.key: the key does not belong',
      key,
    ],
    ['a locked key', { ...both, admin_ssl_cert_key: 'locked.key' }, 'locked.key: failed to parse key: ', key],
    [
      'authorities without one',
      { ...both, admin_ssl_ca_cert: 'tls.key' },
      'there is no certificate in it',
      '',
    ],
    ['a broken authority', { ...both, admin_ssl_ca_cert: 'broken.pem' }, 'failed to parse cert: ', ''],
  ] as const)('%s', ([, files, text, place]) => {
    write('other.key', other.key);
    write('locked.key', lock(pair.key));
    write('broken.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n');

    expect(() => read(files)).toThrow(expect.objectContaining({ message: expect.stringContaining(text) }));
    expect(() => read(files)).toThrow(expect.objectContaining({ message: expect.stringContaining(place) }));
    expect(() => read(files)).toThrow(expect.objectContaining({ code: 'SETTINGS_INVALID' }));
  });

  test('all of them are told', () => {
    const files = { admin_ssl_cert: 'a', admin_ssl_cert_key: 'b', admin_ssl_ca_cert: 'c' };

    expect(() => read(files)).toThrow(/a: ENOENT[^]*b: ENOENT[^]*c: ENOENT/);
  });

  test('it may not be read', ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may read everything');
    chmodSync(path('tls.key'), 0);

    expect(() => read(both)).toThrow('EACCES');
  });

  test('it changed after the settings were read', () => {
    const settings = read(both);
    write('tls.pem', 'gone');

    expect(() => adminTls(settings, home)).toThrow(
      expect.objectContaining({
        code: 'SETTINGS_INVALID',
        message: expect.stringContaining(path('tls.pem')),
      }),
    );
  });
});

describe('versions and ciphers that cannot be used are refused:', () => {
  test.for([
    [
      'a version that is none',
      { ssl_protocols: 'SSLv3' },
      'apisix.ssl.ssl_protocols: expected some of TLSv1.1',
    ],
    ['a cipher that is none', { ssl_ciphers: 'NONE-SUCH' }, 'apisix.ssl.ssl_ciphers: expected ciphers'],
  ] as const)('%s', ([, ssl, text]) => {
    expect(() => read(both, ssl)).toThrow(
      expect.objectContaining({ code: 'SETTINGS_INVALID', message: expect.stringContaining(text) }),
    );
  });
});

function lock(key: string): string {
  const args = ['pkcs8', '-topk8', '-v2', 'aes256', '-passout', 'pass:secret'];
  return execFileSync('openssl', args, { input: key, encoding: 'utf8' });
}
