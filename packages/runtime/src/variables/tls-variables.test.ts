import { X509Certificate } from 'node:crypto';
import { makeCertificate } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import { testSession } from '../testing/test-session.ts';
import type { VariableSource } from './variable-source.ts';
import { variableOf } from './variables.ts';

type Tls = NonNullable<VariableSource['tls']>;

const withoutCertificate: Tls = {
  serverName: 'db.test',
  alpn: undefined,
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  isPeerVerified: false,
  clientCertificate: undefined,
  isResumed: false,
};

test.for([
  ['ssl_protocol', 'TLSv1.3'],
  ['ssl_cipher', 'TLS_AES_256_GCM_SHA384'],
  ['ssl_server_name', 'db.test'],
  ['ssl_alpn_protocol', undefined],
  ['ssl_session_reused', '.'],
  ['ssl_client_verify', 'NONE'],
  ['ssl_client_s_dn', undefined],
  ['ssl_client_v_remain', undefined],
] as const)('%s is %s where no client certificate is asked for', ([name, value]) => {
  expect(variableOf(testSession({ tls: withoutCertificate }), name)).toBe(value);
});

test('a session without TLS has none of them', () => {
  expect(variableOf(testSession(), 'ssl_client_verify')).toBeUndefined();
});

test('a client is called by its names as openssl writes them', async () => {
  const ca = await makeCertificate({ names: ['ca'], subject: '/O=Authorities/CN=test ca', use: 'ca' });
  const subject = '/C=DE/O=Example, Inc./OU=a+OU=b/CN=Zoë "#1"';
  const { cert } = await makeCertificate({ names: ['client.test'], subject, ca, use: 'client', days: 30 });
  const tls = { ...withoutCertificate, isPeerVerified: true, clientCertificate: new X509Certificate(cert) };
  const read = (name: string): unknown => variableOf(testSession({ tls }), name);

  expect(read('ssl_client_verify')).toBe('SUCCESS');
  expect(read('ssl_client_s_dn')).toBe(String.raw`CN=Zo\C3\AB \"#1\",OU=b+OU=a,O=Example\, Inc.,C=DE`);
  expect(read('ssl_client_i_dn')).toBe('CN=test ca,O=Authorities');
  expect(read('ssl_client_serial')).toMatch(/^[0-9A-F]+$/);
  expect(read('ssl_client_fingerprint')).toMatch(/^[0-9a-f]{40}$/);
  expect(read('ssl_client_v_end')).toMatch(/ GMT$/);
  expect([29, 30]).toContain(read('ssl_client_v_remain'));
  expect(read('ssl_client_raw_cert')).toBe(cert);
});
