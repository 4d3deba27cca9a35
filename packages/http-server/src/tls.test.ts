import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeCertificate } from '@apisix-ts/testkit';
import type { TestCertificate } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { makeTls } from './testing/make-tls.ts';
import { openServer } from './testing/open-server.ts';

const run = promisify(execFile);
const notSent = '{"fault":"no required SSL certificate was sent"}';

/** Files for commands, removed when the test is over. */
async function filesOf(contents: Readonly<Record<string, string>>): Promise<(name: string) => string> {
  const folder = await mkdtemp(join(tmpdir(), 'http-server-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  for (const [name, content] of Object.entries(contents)) await writeFile(path(name), content);
  return path;
}

async function makeClient(ca: TestCertificate): Promise<TestCertificate> {
  return makeCertificate({ names: ['client'], use: 'client', ca });
}

/** What the server answered, or curl's exit status. */
async function curl(port: number, ...options: readonly string[]): Promise<string | number> {
  try {
    const { stdout } = await run('curl', ['-sS', `https://127.0.0.1:${port}/`, ...options]);
    return stdout;
  } catch (error) {
    return error instanceof Error && 'code' in error ? Number(error.code) : -1;
  }
}

test('curl trusts the certificate and gets an answer', async () => {
  const tls = await makeTls();
  const { port } = await openServer({ tls });
  const file = await filesOf({ ca: tls.cert });

  expect(await curl(port, '--cacert', file('ca'))).toBe(notSent);
});

test('only the versions and ciphers that are set are spoken', async () => {
  const tls = await makeTls({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
  const { port } = await openServer({ tls });
  const sslFailed = 35;

  expect(await curl(port, '-k', '--tls-max', '1.2')).toBe(notSent);
  expect(await curl(port, '-k', '--tlsv1.3')).toBe(sslFailed);
  expect(await curl(port, '-k', '--tls-max', '1.2', '--ciphers', 'ECDHE-ECDSA-AES256-GCM-SHA384')).toBe(
    sslFailed,
  );
});

test.for(['1.2', '1.3'])('with TLS %s a client certificate of the authority is good', async (version) => {
  const ca = await makeCertificate({ names: ['authority'], use: 'ca' });
  const stranger = await makeCertificate({ names: ['stranger'], use: 'ca' });
  const [good, foreign, server] = await Promise.all([
    makeClient(ca),
    makeClient(stranger),
    makeCertificate({ names: ['client'], use: 'server', ca }),
  ]);
  const { port } = await openServer({ tls: await makeTls({ clientCa: ca.cert }) });
  const file = await filesOf({
    good: good.cert + good.key,
    foreign: foreign.cert + foreign.key,
    server: server.cert + server.key,
  });
  const answer = (name: string): Promise<string | number> =>
    curl(port, '-k', '--tls-max', version, '--cert', file(name));

  expect(await curl(port, '-k', '--tls-max', version)).toBe(notSent);
  expect(await answer('good')).toBe('{"fault":null}');
  expect(await answer('foreign')).toMatch(/^{"fault":"the SSL certificate error: /);
  expect(await answer('server')).toMatch(/^{"fault":"the SSL certificate error: /);
});

test.for(['-tls1_2', '-tls1_3'])(
  'a session that began without a certificate is not good after openssl %s took it up again',
  async (version) => {
    const ca = await makeCertificate({ names: ['authority'], use: 'ca' });
    const { port } = await openServer({ tls: await makeTls({ clientCa: ca.cert }) });
    const file = await filesOf({});
    const request = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const visit = async (...options: readonly string[]): Promise<string> => {
      const visiting = run('openssl', [
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        version,
        '-ign_eof',
        ...options,
      ]);
      visiting.child.stdin?.write(request);
      const { stdout } = await visiting;
      return stdout;
    };

    const first = await visit('-sess_out', file('session'));
    const second = await visit('-sess_in', file('session'));

    for (const output of [first, second]) {
      expect(output).toContain(notSent);
      expect(output).not.toContain('Reused, ');
    }
  },
);

test('a client that speaks plain HTTP is closed', async () => {
  const { dial } = await openServer({ tls: await makeTls() });
  const socket = await dial('GET / HTTP/1.1\r\nHost: x\r\n\r\n');

  expect(await text(socket)).toBe('');
});
