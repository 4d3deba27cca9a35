import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate, openSink, openVaultServer } from '@apisix-ts/testkit';
import type { VaultServer, VaultServerOptions } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ManagerConfig, Secret, Surroundings } from './secret-source.ts';
import { vaultSource } from './vault-source.ts';

async function openVault(options: VaultServerOptions = {}): Promise<VaultServer> {
  const vault = await openVaultServer(options);
  onTestFinished(() => vault.close());
  return vault;
}

function read(
  config: ManagerConfig,
  path = 'db',
  { env = {}, caFile, signal }: Partial<Surroundings> & { signal?: AbortSignal } = {},
): Promise<Secret> {
  const surroundings = { env, ...(caFile === undefined ? {} : { caFile }) };
  return vaultSource.create(config, surroundings).read(path, signal ?? new AbortController().signal);
}

/** Everything that a log could show of the failure. */
async function failure(reading: Promise<Secret>): Promise<{ code: unknown; message: string; shown: string }> {
  try {
    await reading;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code } = error as Error & { code?: unknown };
    return { code, message: error.message, shown: `${error.stack} ${String(error.cause)}` };
  }
  throw new TypeError('it was read');
}

describe('a secret of Vault', () => {
  test('is read from an engine of version 1', async () => {
    const vault = await openVault();
    vault.write('kv/apisix/db', { cert: 'c', key: 'k' });

    expect(await read({ uri: vault.url, prefix: 'kv/apisix', token: 'root' })).toEqual({
      cert: 'c',
      key: 'k',
    });
    expect(vault.requests).toEqual(['GET /v1/kv/apisix/db']);
  });

  test('is read from an engine of version 2, in its last version', async () => {
    const vault = await openVault();
    vault.write('secret/tls/db', { cert: 'old' });
    vault.write('secret/tls/db', { cert: 'new' });

    const manager = { uri: vault.url, prefix: 'secret/data', token: 'root' };
    expect(await read(manager, 'tls/db')).toEqual({ cert: 'new' });
  });

  test('of version 1 may have keys called data and metadata', async () => {
    const vault = await openVault();
    vault.write('kv/db', { data: 'd', metadata: 'm' });

    expect(await read({ uri: vault.url, prefix: 'kv', token: 'root' })).toEqual({ data: 'd', metadata: 'm' });
  });

  test.for([
    ['', '/kv/', 'a b/c', '/v1/kv/a%20b/c'],
    ['/', 'kv', 'x?y#z', '/v1/kv/x%3Fy%23z'],
    ['/below/', 'kv', 'db', '/below/v1/kv/db'],
    ['', 'kv', 'half\ud800', '/v1/kv/half%EF%BF%BD'],
  ] as const)('uri + "%s", prefix "%s" and path "%s" are %s', async ([after, prefix, path, expected]) => {
    const vault = await openVault();
    vault.instead = (_request, response) => response.end('{"data":{}}');

    await read({ uri: vault.url + after, prefix, token: 'root' }, path);

    expect(vault.requests).toEqual([`GET ${expected}`]);
  });

  test('is asked for in its namespace, with a token from the environment', async () => {
    const vault = await openVault({ namespace: 'team/', token: 's.1' });
    vault.write('kv/db', { key: 'k' });
    const manager = { uri: '$env://ADDRESS', prefix: 'kv', token: '$ENV://VAULT/token', namespace: 'team/' };
    const env = { ADDRESS: vault.url, VAULT: '{"token":"s.1"}' };

    expect(await read(manager, 'db', { env })).toEqual({ key: 'k' });
  });

  test('is read over TLS with the authorities that were named', async () => {
    const ca = await makeCertificate({ names: ['test ca'], use: 'ca' });
    const vault = await openVault({ tls: await makeCertificate({ names: ['127.0.0.1'], ca }) });
    vault.write('kv/db', { key: 'k' });
    const folder = await mkdtemp(join(tmpdir(), 'secrets-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, ca.cert);
    const manager = { uri: vault.url, prefix: 'kv', token: 'root' };

    expect(await read(manager, 'db', { caFile })).toEqual({ key: 'k' });
    expect(await failure(read(manager))).toMatchObject({
      code: 'SECRET_UNREACHABLE',
      message: expect.stringContaining('unable to verify'),
    });
    expect(await failure(read(manager, 'db', { caFile: join(folder, 'absent') }))).toMatchObject({
      code: 'SECRET_UNREACHABLE',
      message: expect.stringContaining('ssl_trusted_certificate'),
    });
  });

  test('is asked of the active node when a standby names it, once', async () => {
    const active = await openVault();
    active.write('kv/db', { key: 'k' });
    const standby = await openVault();
    standby.instead = (request, response) => {
      response.writeHead(307, { Location: active.url + request.url }).end();
    };

    expect(await read({ uri: standby.url, prefix: 'kv', token: 'root' })).toEqual({ key: 'k' });

    active.instead = standby.instead;
    expect(await failure(read({ uri: standby.url, prefix: 'kv', token: 'root' }))).toMatchObject({
      code: 'SECRET_INVALID',
      message: expect.stringContaining('found status 307'),
    });
  });
});

describe('a failure', () => {
  const token = 's.hidden-token';

  test.for([
    [
      'a token that is not good',
      'kv',
      'db',
      { token: 'other' },
      'SECRET_DENIED',
      /status 403 "2 errors occurred: \* permission denied \* invalid token": give a token/,
    ],
    ['no token', 'kv', 'db', { token: '' }, 'SECRET_DENIED', /expected a token of Vault/],
    [
      'a path that is not there',
      'kv',
      'absent',
      {},
      'SECRET_NOT_FOUND',
      /v1\/kv\/absent, found status 404: check the prefix/,
    ],
    [
      'an engine that is not there',
      'other',
      'db',
      {},
      'SECRET_NOT_FOUND',
      /"no handler for route "other\/db"/,
    ],
    [
      'version 2 without data in the prefix',
      'secret',
      'db',
      {},
      'SECRET_NOT_FOUND',
      /prefix of the secrets resource be its mount and "\/data"/,
    ],
    ['a secret that was deleted', 'secret/data', 'gone', {}, 'SECRET_NOT_FOUND', /last version was deleted/],
    [
      'a variable that is not there',
      'kv',
      'db',
      { token: '$env://ABSENT' },
      'SECRET_NOT_FOUND',
      /environment variable "ABSENT", found none/,
    ],
    [
      'a token from another manager',
      'kv',
      'db',
      { token: '$secret://vault/2/a/b' },
      'SECRET_REFERENCE_INVALID',
      /found a reference to another one/,
    ],
    ['no URL', 'kv', 'db', { uri: '127.0.0.1:8200' }, 'SECRET_UNREACHABLE', /to be an http or https URL/],
    [
      'a URL of another sort',
      'kv',
      'db',
      { uri: 'ftp://127.0.0.1' },
      'SECRET_UNREACHABLE',
      /to be an http or https URL/,
    ],
  ] as const)('with %s says what to do', async ([, prefix, path, more, code, message]) => {
    const vault = await openVault({ token });
    vault.write('kv/db', { key: 'hidden-value' });
    vault.write('secret/gone', { key: 'hidden-value' });
    vault.delete('secret/gone');

    const failed = await failure(read({ uri: vault.url, prefix, token, ...more }, path));

    expect(failed).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(failed.shown).not.toContain('hidden');
  });

  test.for([
    [
      503,
      '{"errors":["Vault is sealed"]}',
      'SECRET_UNREACHABLE',
      /found status 503 "Vault is sealed": unseal Vault/,
    ],
    [
      500,
      '{"errors":["internal error for s.hidden-token"]}',
      'SECRET_UNREACHABLE',
      /"internal error for \[token\]": see what Vault logs/,
    ],
    [429, '{"errors":[]}', 'SECRET_UNREACHABLE', /status 429/],
    [400, '{"errors":["bad"]}', 'SECRET_INVALID', /status 400 "bad"/],
    [502, '<html>hidden-value</html>', 'SECRET_UNREACHABLE', /found status 502: see/],
    [
      200,
      '<html>hidden-value</html>',
      'SECRET_INVALID',
      /status 200 with a body that is not JSON but text\/x$/,
    ],
    [200, '{"data":null}', 'SECRET_INVALID', /status 200 without values: data is null/],
    [200, '["hidden-value"]', 'SECRET_INVALID', /status 200 without values: data is undefined/],
    [
      200,
      JSON.stringify({ data: { key: 'hidden-value'.repeat(200_000) } }),
      'SECRET_INVALID',
      /more than 2 MiB/,
    ],
  ] as const)('of status %i with %.30s… says what came', async ([status, body, code, message]) => {
    const vault = await openVault();
    vault.instead = (_request, response) => {
      response.writeHead(status, { 'Content-Type': 'text/x' }).end(body);
    };

    const failed = await failure(read({ uri: vault.url, prefix: 'kv', token }));

    expect(failed).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(failed.shown).not.toContain('hidden');
  });

  test('of a server that says nothing comes after the time-out', async () => {
    const sink = await openSink();
    onTestFinished(() => sink.close());
    const manager = { uri: `http://127.0.0.1:${sink.port}`, prefix: 'kv', token, timeout: 0.05 };

    expect(await failure(read(manager))).toMatchObject({
      code: 'SECRET_UNREACHABLE',
      message: `expected an answer of Vault at http://127.0.0.1:${sink.port}/v1/kv/db, found none within 0.05 s`,
    });
  });

  test('of a time-out beyond reason is none', async () => {
    const vault = await openVault();
    vault.write('kv/db', { key: 'k' });

    expect(await read({ uri: vault.url, prefix: 'kv', token: 'root', timeout: 1e12 })).toEqual({ key: 'k' });
  });

  test('of an answer that never ends comes after the time-out', async () => {
    const vault = await openVault();
    vault.instead = (_request, response) => response.writeHead(200).write('{');

    expect(await failure(read({ uri: vault.url, prefix: 'kv', token, timeout: 0.05 }))).toMatchObject({
      code: 'SECRET_UNREACHABLE',
      message: expect.stringContaining('found none within 0.05 s'),
    });
  });

  test('of an answer that is cut off is one', async () => {
    const vault = await openVault();
    vault.instead = (_request, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('{');
      setImmediate(() => response.destroy());
    };

    expect(await failure(read({ uri: vault.url, prefix: 'kv', token }))).toMatchObject({
      code: 'SECRET_UNREACHABLE',
    });
  });

  test('to connect names the address and not the password in it', async () => {
    const vault = await openVault();
    await vault.close();
    const uri = `http://user:hidden@127.0.0.1:${vault.port}`;

    const failed = await failure(read({ uri, prefix: 'kv', token }));

    expect(failed.message).toBe(
      `expected an answer of Vault at http://127.0.0.1:${vault.port}/v1/kv/db, found connect ECONNREFUSED 127.0.0.1:${vault.port}`,
    );
    expect(failed.shown).not.toContain('hidden');
  });

  test('by the signal of the caller ends the read', async () => {
    const sink = await openSink();
    onTestFinished(() => sink.close());
    const ending = new AbortController();
    const manager = { uri: `http://127.0.0.1:${sink.port}`, prefix: 'kv', token };
    const reading = read(manager, 'db', { signal: ending.signal });

    ending.abort();

    await expect(reading).rejects.toThrow();
  });
});
