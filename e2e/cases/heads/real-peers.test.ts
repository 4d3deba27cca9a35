import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from '@apisix-ts/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { runCommand, runOrFail, startProcess } from '../../testbed/process.ts';
import type { RunningProcess } from '../../testbed/process.ts';

let folder: string;
let gateway: GatewayInstallation;
let haproxy: RunningProcess;
let passthroughPort: number;
let frontPort: number;

/**
 * A real HAProxy on both sides: in front it sends PROXY headers, version 2, and behind it takes them, version 1, and
 * answers with the client it was told of. It also is the two TLS servers whose names the gateway routes by.
 */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heads-'));
  gateway = await createGatewayInstallation();
  const [web, tlsA, tlsB] = await Promise.all([freePort(), freePort(), freePort()]);
  [passthroughPort, frontPort] = await Promise.all([freePort(), freePort()]);

  await gateway.configure(`proxy_mode: http&stream
stream_proxy:
  tcp:
    - { addr: "127.0.0.1:${gateway.streamPort}", proxy_protocol: true, proxy_protocol_to_upstream: true }
    - { addr: "127.0.0.1:${passthroughPort}", tls_passthrough: true }`);
  await gateway.apisixOk('start');
  const upstream = (port: number): object => ({ nodes: { [`127.0.0.1:${port}`]: 1 } });
  await gateway.put('/stream_routes/web', { server_port: gateway.streamPort, upstream: upstream(web) });
  await gateway.put('/stream_routes/a', { sni: 'a.test', upstream: upstream(tlsA) });
  await gateway.put('/stream_routes/b', { sni: '*.b.test', upstream: upstream(tlsB) });

  await mkdir(join(folder, 'certificates'));
  const serve = async (name: string, port: number): Promise<string> => {
    const file = join(folder, 'certificates', `${name}.pem`);
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
    ];
    await runOrFail('openssl', [
      ...args,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${file}.key`,
      '-out',
      `${file}.crt`,
    ]);
    await runOrFail('sh', ['-c', `cat ${file}.crt ${file}.key > ${file}`]);
    return `frontend ${name}
  mode http
  bind 127.0.0.1:${port} ssl crt ${file}
  http-request return status 200 content-type text/plain string "${name}"`;
  };
  await writeFile(
    join(folder, 'haproxy.cfg'),
    `defaults
  timeout connect 60s
  timeout client 60s
  timeout server 60s
frontend balancer
  mode tcp
  bind 127.0.0.1:${frontPort}
  default_backend gateway
backend gateway
  mode tcp
  server gateway 127.0.0.1:${gateway.streamPort} send-proxy-v2
frontend web
  mode http
  bind 127.0.0.1:${web} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%ci:%cp"
${await serve('a', tlsA)}
${await serve('b', tlsB)}
`,
  );
  haproxy = await startProcess('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')]);
  await vi.waitFor(
    async () => expect(await curl(`http://127.0.0.1:${web}/`, '--haproxy-protocol')).toMatch(/:/),
    eventually,
  );
});

afterAll(async () => {
  await haproxy?.stop();
  await gateway?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** The body of the answer; empty when there was none. */
async function curl(url: string, ...options: readonly string[]): Promise<string> {
  return (await runCommand('curl', ['-sk', '--max-time', '60', ...options, url])).stdout;
}

describe('the PROXY protocol', () => {
  test('of curl reaches the server; of a peer that is not trusted it names the peer', async () => {
    expect(await curl(`http://127.0.0.1:${gateway.streamPort}/`, '--haproxy-protocol')).toMatch(
      /^127\.0\.0\.1:\d+$/,
    );
  });

  test('of a load balancer passes through in another version', async () => {
    expect(await curl(`http://127.0.0.1:${frontPort}/`)).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('is demanded: a client without it is closed', async () => {
    expect(await runCommand('curl', ['-s', `http://127.0.0.1:${gateway.streamPort}/`])).toMatchObject({
      stdout: '',
    });
  });
});

describe('TLS that is passed through', () => {
  const ask = (name: string): Promise<string> =>
    curl(`https://${name}:${passthroughPort}/`, '--resolve', `${name}:${passthroughPort}:127.0.0.1`);

  test('reaches the server of the name that curl asks for', async () => {
    expect(await ask('a.test')).toBe('a');
    expect(await ask('deep.in.b.test')).toBe('b');
  });

  test('is closed when no route has the name', async () => {
    expect(await ask('c.test')).toBe('');
  });

  test('has the certificate of the server, not one of ours', async () => {
    const where = ['-connect', `127.0.0.1:${passthroughPort}`, '-servername', 'a.test'];
    const { stdout } = await runCommand('openssl', ['s_client', ...where], { input: '' });

    expect(stdout).toMatch(/subject=CN = a\b/);
  });
});
