import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { makeCertificate } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import { banner } from './banner.ts';
import { readRunRecord } from './run-record.ts';
import { configYaml, createInstallation } from './testing/installation.ts';
import type { Installation } from './testing/installation.ts';

const files = '{ admin_ssl_cert: tls.pem, admin_ssl_cert_key: tls.key }';
const mutual = '{ admin_ssl_cert: tls.pem, admin_ssl_cert_key: tls.key, admin_ssl_ca_cert: ca.pem }';

function overTls({ ports }: Installation, admin_api_mtls = files, streamPorts = [ports.stream]): string {
  const admin = `admin:\n    https_admin: true\n    admin_api_mtls: ${admin_api_mtls}`;
  return configYaml(ports, streamPorts).replace('admin:', admin);
}

/** Puts a certificate that signed itself, and its key, where the settings say. */
async function replaceCertificate({ home }: Installation): Promise<string> {
  const { cert, key } = await makeCertificate({ names: ['127.0.0.1'] });
  await writeFile(join(home, 'conf/tls.pem'), cert);
  await writeFile(join(home, 'conf/tls.key'), key);
  return cert;
}

/** The certificate that the server shows now, in PEM without line breaks. */
async function shownCertificate(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw.toString('base64');
}

const base64 = (pem: string): string => pem.replaceAll(/-----.*-----|\s/g, '');

test('the Admin API is served over TLS, and the banner says how to reach it', async () => {
  const installation = await createInstallation();
  const { home, ports, configure, start } = installation;
  await replaceCertificate(installation);
  await configure(overTls(installation));
  const { settings, configFile } = await start();

  const url = `https://127.0.0.1:${ports.admin}/apisix/admin/upstreams`;
  const { stdout } = await promisify(execFile)('curl', ['-sS', '--cacert', join(home, 'conf/tls.pem'), url]);

  expect(stdout).toBe('{"total":0,"list":[]}\n');
  const text = banner({ settings, home, configFile, env: {}, readyAfterMs: 1 });
  expect(text).toContain(`https://127.0.0.1:${ports.admin}/apisix/admin\n`);
  expect(text).toContain(`curl -k -X PUT https://127.0.0.1:${ports.admin}/`);
});

test('with an authority, a client without a certificate is answered 400 in JSON', async () => {
  const installation = await createInstallation();
  const { home, ports, configure, start } = installation;
  await replaceCertificate(installation);
  const ca = await makeCertificate({ names: ['authority'], use: 'ca' });
  const client = await makeCertificate({ names: ['client'], use: 'client', ca });
  await writeFile(join(home, 'conf/ca.pem'), ca.cert);
  await writeFile(join(home, 'client.pem'), client.cert + client.key);
  await configure(overTls(installation, mutual));
  const { settings, configFile } = await start();
  const ask = async (...options: readonly string[]): Promise<string> => {
    const url = `https://127.0.0.1:${ports.admin}/apisix/admin/upstreams`;
    const args = ['-sS', '-k', '-w', '%{http_code} %header{content-type}', ...options, url];
    return (await promisify(execFile)('curl', args)).stdout;
  };

  expect(await ask()).toBe('{"error_msg":"no required SSL certificate was sent"}\n400 application/json');
  expect(await ask('--cert', join(home, 'client.pem'))).toBe('{"total":0,"list":[]}\n200 application/json');
  expect(banner({ settings, home, configFile, env: {}, readyAfterMs: 1 })).not.toContain('curl');
});

test('a reload takes a certificate that was replaced, though no setting changed', async () => {
  const installation = await createInstallation();
  const { home, ports, configure, start } = installation;
  await replaceCertificate(installation);
  await configure(overTls(installation));
  const gateway = await start();

  const replaced = await replaceCertificate(installation);
  await gateway.reload();

  expect(readRunRecord(home)?.last_reload).toMatchObject({ ok: true });
  expect(await shownCertificate(ports.admin)).toBe(base64(replaced));
});

test('a reload with a certificate that cannot be used changes nothing, and says which', async () => {
  const installation = await createInstallation();
  const { home, ports, configure, start } = installation;
  const first = await replaceCertificate(installation);
  await configure(overTls(installation));
  const gateway = await start();

  await writeFile(join(home, 'conf/tls.pem'), 'half a file');
  await gateway.reload();

  const record = readRunRecord(home)?.last_reload;
  expect(record).toMatchObject({ ok: false, error: expect.stringContaining(join(home, 'conf/tls.pem')) });
  expect(record).toMatchObject({ error: expect.stringContaining('admin_api_mtls.admin_ssl_cert') });
  expect(await shownCertificate(ports.admin)).toBe(base64(first));
});

test('a reload that fails for another reason keeps the certificate that was shown before', async () => {
  const installation = await createInstallation();
  const { home, ports, configure, start } = installation;
  const first = await replaceCertificate(installation);
  await configure(overTls(installation));
  const gateway = await start();

  await replaceCertificate(installation);
  await configure(overTls(installation, files, [ports.stream, ports.metrics]));
  await gateway.reload();

  expect(readRunRecord(home)?.last_reload).toMatchObject({ ok: false });
  expect(await shownCertificate(ports.admin)).toBe(base64(first));
});

test('a gateway does not start with a certificate that is not there', async () => {
  const installation = await createInstallation();
  await installation.configure(overTls(installation));

  await expect(installation.start()).rejects.toMatchObject({
    code: 'SETTINGS_INVALID',
    message: expect.stringContaining(join(installation.home, 'conf/tls.pem')),
  });
});
