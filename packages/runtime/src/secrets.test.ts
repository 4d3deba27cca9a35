import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { createMemoryStore, settingsFrom } from '@apisix-ts/config';
import { eventually, freePort, makeCertificate, openVaultServer } from '@apisix-ts/testkit';
import type { TestCertificate, VaultServer, VaultServerOptions } from '@apisix-ts/testkit';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createGateway } from './gateway.ts';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway, OpenGatewayOptions } from './testing/open-gateway.ts';

/** Seconds between two reads of a secret, where a test waits for the second. */
const OFTEN = 0.05;
const token = 's.token-of-vault';
const manager = { prefix: 'secret/data', token };
const references = {
  sni: 'db.test',
  cert: '$secret://vault/1/tls/db/cert',
  key: '$secret://vault/1/tls/db/key',
};

let ca: TestCertificate;
let first: TestCertificate;
let second: TestCertificate;
let ofClient: TestCertificate;

beforeAll(async () => {
  ca = await makeCertificate({ names: ['test ca'], use: 'ca' });
  [first, second, ofClient] = await Promise.all([
    makeCertificate({ names: ['db.test', 'first'], ca }),
    makeCertificate({ names: ['db.test', 'second'], ca }),
    makeCertificate({ names: ['client.test'], ca, use: 'client' }),
  ]);
});

async function openVault(options: VaultServerOptions = {}): Promise<VaultServer> {
  const vault = await openVaultServer({ token, ...options });
  onTestFinished(() => vault.close());
  return vault;
}

/** A gateway with a TLS listener, the manager `vault/1`, and an ssl whose pair is the secret `tls/db`. */
async function openWithVault(
  vault: Pick<VaultServer, 'url'>,
  options: Partial<OpenGatewayOptions> = {},
): Promise<OpenGateway> {
  const opened = await openGateway({ workers: 0, entry: { tls: true }, secretTtl: OFTEN, ...options });
  await opened.put('secrets/vault/1', { uri: vault.url, ...manager });
  await opened.put('ssls/db', references);
  return opened;
}

/** The second name in the certificate that a client is shown; rejects when there is none. */
async function nameShown(port: number, options: ConnectionOptions = {}): Promise<string | undefined> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: ca.cert, servername: 'db.test', ...options });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().subjectaltname?.split('DNS:').at(-1);
  } finally {
    socket.destroy();
  }
}

const isRefused = (port: number): Promise<void> =>
  expect(nameShown(port)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SSL_/) });

describe('a certificate from Vault', () => {
  test.for([0, 2])('is shown with %i worker threads as soon as its ssl is in effect', async (workers) => {
    const vault = await openVault();
    vault.write('secret/tls/db', first);
    const { port, gateway } = await openWithVault(vault, { workers, secretTtl: 300 });

    expect(await nameShown(port)).toBe('first');
    expect(vault.requests).toEqual(['GET /v1/secret/data/tls/db']);
    expect(gateway.status().faults).toEqual([]);
  });

  test('is read over TLS with the authorities of the settings', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const trustedCertificate = join(folder, 'ca.pem');
    await writeFile(trustedCertificate, ca.cert);
    const vault = await openVault({ tls: await makeCertificate({ names: ['127.0.0.1'], ca }) });
    vault.write('secret/tls/db', first);

    const { port } = await openWithVault(vault, { trustedCertificate });

    expect(await nameShown(port)).toBe('first');
  });

  test('is renewed when it is another one there, and no handshake fails meanwhile', async () => {
    const vault = await openVault();
    vault.write('secret/tls/db', first);
    const opened = await openWithVault(vault);
    expect(await nameShown(opened.port)).toBe('first');

    vault.write('secret/tls/db', second);
    const shown = new Set<string | undefined>();
    while (!shown.has('second')) shown.add(await nameShown(opened.port));

    expect([...shown].filter((name) => name !== 'first')).toEqual(['second']);
    const { fields } = await opened.logged('a secret has a new value');
    expect(fields).toEqual({ resource: 'ssls/db', secrets: [references.cert, references.key] });
  });

  test('that was not read at the start is used when Vault is there', async () => {
    const port = await freePort();
    const opened = await openWithVault({ url: `http://127.0.0.1:${port}` });
    await isRefused(opened.port);
    const { level, fields } = await opened.logged('a certificate cannot be used');
    expect({ level, ...fields }).toMatchObject({
      level: 'error',
      resource: 'ssls/db',
      secret: references.cert,
      code: 'SECRET_UNREACHABLE',
    });

    const vault = await openVault({ port });
    vault.write('secret/tls/db', first);

    await opened.logged('a certificate can be used again');
    expect(await nameShown(opened.port)).toBe('first');
    expect(opened.lines.filter(({ message }) => message === 'a certificate cannot be used')).toHaveLength(1);
  });

  test('stays while Vault is away, which is told once', async () => {
    const vault = await openVault();
    vault.write('secret/tls/db', first);
    const opened = await openWithVault(vault);

    vault.isSealed = true;
    await opened.logged('a certificate cannot be renewed');
    const asked = vault.requests.length;
    await vi.waitFor(() => expect(vault.requests.length).toBeGreaterThan(asked + 2), eventually);
    expect(await nameShown(opened.port)).toBe('first');
    expect(opened.gateway.status().faults).toEqual([
      {
        resource: 'ssls/db',
        secret: references.cert,
        code: 'SECRET_UNREACHABLE',
        reason: expect.stringContaining('status 503 "Vault is sealed"'),
        hasPredecessor: true,
      },
    ]);

    vault.isSealed = false;
    await opened.logged('a certificate can be used again');
    expect(opened.gateway.status().faults).toEqual([]);
    expect(opened.lines.filter(({ message }) => message === 'a certificate cannot be renewed')).toHaveLength(
      1,
    );
  });

  test.for([
    ['a key that belongs to another one', () => ({ cert: second.cert, key: first.key }), /does not belong/],
    ['something that is no certificate', () => ({ cert: 'junk', key: second.key }), /failed to parse cert/],
    ['no key', () => ({ cert: second.cert }), /expected the key "key", found the keys "cert"/],
  ] as const)('stays when Vault has %s', async ([, broken, reason]) => {
    const vault = await openVault();
    vault.write('secret/tls/db', first);
    const opened = await openWithVault(vault);

    vault.write('secret/tls/db', broken());
    const { fields } = await opened.logged('a certificate cannot be renewed');

    expect(fields['reason']).toMatch(reason);
    expect(await nameShown(opened.port)).toBe('first');
  });

  test('goes with its manager, and comes back with it', async () => {
    const vault = await openVault();
    vault.write('secret/tls/db', first);
    const opened = await openWithVault(vault);

    await opened.delete('secrets/vault/1');
    await isRefused(opened.port);
    expect(opened.gateway.status().faults).toMatchObject([
      { code: 'SECRET_MANAGER_UNKNOWN', hasPredecessor: false },
    ]);

    vault.isSealed = true;
    await opened.put('secrets/vault/1', { uri: vault.url, ...manager });
    await isRefused(opened.port);
    vault.isSealed = false;
    await opened.put('secrets/vault/1', { uri: vault.url, ...manager });
    expect(await nameShown(opened.port)).toBe('first');
  });

  test('is another one as soon as its manager is', async () => {
    const [old, other] = [await openVault(), await openVault()];
    old.write('secret/tls/db', first);
    other.write('secret/tls/db', second);
    const opened = await openWithVault(old, { secretTtl: 300 });

    await opened.put('secrets/vault/1', { uri: other.url, ...manager });

    expect(await nameShown(opened.port)).toBe('second');
  });

  test('that comes late holds nothing up, and is used then', async () => {
    const vault = await openVault();
    vault.write('secret/tls/db', first);
    const answers: (() => void)[] = [];
    vault.instead = (_request, response) => {
      answers.push(() => {
        const data = { data: first, metadata: { version: 1 } };
        response.end(JSON.stringify({ data }));
      });
    };
    const opened = await openWithVault(vault, { secretTtl: 300 });
    await isRefused(opened.port);

    for (const answer of answers) answer();

    await vi.waitFor(async () => expect(await nameShown(opened.port)).toBe('first'), eventually);
    expect(opened.lines.filter(({ message }) => message.startsWith('a certificate'))).toEqual([]);
  });

  test('is nothing to worry about when nothing refers to it any more', async () => {
    const opened = await openWithVault(await openVault());
    await opened.logged('a certificate cannot be used');

    await opened.put('ssls/db', { sni: 'db.test', ...first });

    expect(await nameShown(opened.port)).toBe('first');
    expect(opened.gateway.status().faults).toEqual([]);
  });

  test('and its token are in no line of the log', async () => {
    const vault = await openVault();
    vault.write('secret/tls/db', first);
    const opened = await openWithVault(vault);
    vault.write('secret/tls/db', { cert: first.cert, key: second.key });
    await opened.logged('a certificate cannot be renewed');
    await opened.put('secrets/vault/1', { uri: vault.url, prefix: 'secret/data', token: `${token}-other` });
    await vi.waitFor(
      () => expect(opened.gateway.status().faults).toMatchObject([{ code: 'SECRET_DENIED' }]),
      eventually,
    );

    const shown = JSON.stringify([opened.lines, opened.gateway.status()]);
    expect(shown).not.toContain(token);
    expect(shown).not.toContain('PRIVATE KEY');
  });
});

test('a control plane, which serves nothing, reads nothing and complains of nothing', async () => {
  const vault = await openVault();
  const store = createMemoryStore();
  await store.writer.put('secrets/vault/1', JSON.stringify({ uri: vault.url, ...manager }));
  const { revision } = await store.writer.put('ssls/db', JSON.stringify(references));
  const role = { role: 'control_plane', role_control_plane: { config_provider: 'etcd' } } as const;
  const gateway = createGateway(settingsFrom({ deployment: role }), { store });
  onTestFinished(() => gateway.close());

  await gateway.start();
  await gateway.whenApplied(revision);

  expect(vault.requests).toEqual([]);
  expect(gateway.status().faults).toEqual([]);
});

describe('a certificate from the environment', () => {
  test('is shown, with a key in JSON and clients checked', async () => {
    const env = { PAIR: JSON.stringify({ key: first.key }), DB_CERT: first.cert, CA: ca.cert };
    const opened = await openGateway({ workers: 0, entry: { tls: true }, env });

    await opened.put('ssls/db', {
      sni: 'db.test',
      cert: '$ENV://DB_CERT',
      key: '$env://PAIR/key',
      client: { ca: '$env://CA', depth: 1 },
    });

    expect(await nameShown(opened.port, { ...ofClient, maxVersion: 'TLSv1.2' })).toBe('first');
    await expect(nameShown(opened.port, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
  });

  test('that is not there is told', async () => {
    const opened = await openGateway({ workers: 0, entry: { tls: true } });

    await opened.put('ssls/db', { sni: 'db.test', cert: '$env://DB_CERT', key: '$env://DB_KEY' });

    await isRefused(opened.port);
    const { fields } = await opened.logged('a certificate cannot be used');
    expect(fields).toMatchObject({ secret: '$env://DB_CERT', code: 'SECRET_NOT_FOUND' });
  });
});

describe('an upstream', () => {
  /** A TLS server that tells each client the name in its certificate. */
  async function openMutual(): Promise<number> {
    const port = await freePort();
    const options = { ...first, ca: ca.cert, requestCert: true, rejectUnauthorized: true };
    const server = createTlsServer(options, (socket) =>
      socket.end(String(socket.getPeerCertificate().subject.CN)),
    );
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return port;
  }

  /** What the server says to a plain client; empty when it is closed without a byte. */
  async function said(port: number): Promise<string> {
    const client = connectPlain({ host: '127.0.0.1', port });
    onTestFinished(() => void client.destroy());
    return text(client);
  }

  test.for(['tls.client_cert', 'tls.client_cert_id'])(
    'shows a certificate from Vault as %s',
    async (form) => {
      const vault = await openVault();
      vault.write('secret/tls/mine', ofClient);
      const pair = { cert: '$secret://vault/1/tls/mine/cert', key: '$secret://vault/1/tls/mine/key' };
      const opened = await openGateway({ workers: 0 });
      await opened.put('secrets/vault/1', { uri: vault.url, ...manager });
      await opened.put('ssls/mine', { type: 'client', ...pair });
      const tls =
        form === 'tls.client_cert'
          ? { client_cert: pair.cert, client_key: pair.key }
          : { client_cert_id: 'mine' };
      const nodes = { [`127.0.0.1:${await openMutual()}`]: 1 };
      await opened.put('stream_routes/1', { upstream: { scheme: 'tls', nodes, tls } });

      expect(await said(opened.port)).toBe('client.test');
      expect(vault.requests).toHaveLength(1);
    },
  );

  test('without its certificate is not spoken to, and is when it has one', async () => {
    const vault = await openVault();
    const opened = await openGateway({ workers: 0, secretTtl: OFTEN });
    await opened.put('secrets/vault/1', { uri: vault.url, ...manager });
    const nodes = { [`127.0.0.1:${await openMutual()}`]: 1 };
    const tls = {
      client_cert: '$secret://vault/1/tls/mine/cert',
      client_key: '$secret://vault/1/tls/mine/key',
    };
    await opened.put('stream_routes/1', { upstream: { scheme: 'tls', nodes, tls } });

    expect(await said(opened.port)).toBe('');
    expect(opened.gateway.counts().sessionsEnded.get('UPSTREAM_NO_NODE')).toBe(1);
    vault.write('secret/tls/mine', ofClient);
    await opened.logged('a certificate can be used again');

    expect(await said(opened.port)).toBe('client.test');
  });
});
