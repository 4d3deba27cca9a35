import { once } from 'node:events';
import { connect } from 'node:tls';
import { makeCertificate, openVaultServer } from '@apisix-ts/testkit';
import type { TestCertificate, VaultServer } from '@apisix-ts/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apisixCommand, createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { startProcess } from '../../testbed/process.ts';
import type { RunningProcess } from '../../testbed/process.ts';

const token = 's.only-in-the-environment';
let vault: VaultServer;
let gateway: GatewayInstallation;
let running: RunningProcess;
let ca: TestCertificate;

beforeAll(async () => {
  ca = await makeCertificate({ names: ['test ca'], use: 'ca' });
  vault = await openVaultServer({ token });
  gateway = await createGatewayInstallation();
  await gateway.configure(
    `proxy_mode: http&stream\nstream_proxy: { tcp: [{ addr: ${gateway.streamPort}, tls: true }] }\nlru: { secret: { ttl: 0.1 } }`,
  );
  running = await startProcess(apisixCommand, ['start', '--foreground', '--home', gateway.home], {
    env: { VAULT_TOKEN: token },
  });
  await running.waitForOutput(/is serving/);
});

afterAll(async () => {
  await running.stop();
  await gateway.remove();
  await vault.close();
});

async function certificateFor(name: string): Promise<TestCertificate> {
  return makeCertificate({ names: ['db.test', name], ca });
}

/** The names in the certificate that a client is shown. */
async function namesShown(): Promise<string | undefined> {
  const socket = connect({
    host: '127.0.0.1',
    port: gateway.streamPort,
    ca: ca.cert,
    servername: 'db.test',
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().subjectaltname;
  } finally {
    socket.destroy();
  }
}

test('a certificate comes from Vault, is renewed there, and leaves no trace here', async () => {
  vault.write('secret/tls/db', await certificateFor('first'));
  await gateway.put('/secrets/vault/1', {
    uri: vault.url,
    prefix: 'secret/data',
    token: '$env://VAULT_TOKEN',
  });
  await gateway.put('/ssls/db', {
    sni: 'db.test',
    cert: '$secret://vault/1/tls/db/cert',
    key: '$secret://vault/1/tls/db/key',
  });
  expect(await namesShown()).toBe('DNS:db.test, DNS:first');

  vault.write('secret/tls/db', await certificateFor('second'));
  await expect.poll(namesShown).toBe('DNS:db.test, DNS:second');

  vault.isSealed = true;
  await expect.poll(() => gateway.errorLog()).toMatch(/cannot be renewed .*code=SECRET_UNREACHABLE/);
  expect(await namesShown()).toBe('DNS:db.test, DNS:second');

  const { body } = await gateway.admin('GET', '/ssls/db');
  expect(body).toMatchObject({ value: { cert: '$secret://vault/1/tls/db/cert' } });
  expect(`${await gateway.errorLog()}${JSON.stringify(body)}`).not.toMatch(/only-in-the-environment|BEGIN/);
});
