import { freePort } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import type { Installation } from '../testing/installation.ts';
import { putResources } from '../testing/put-resources.ts';

interface Running extends Installation {
  readonly port: number;
  readonly admin: number;
  readonly control: number;
}

/** A gateway with routes, which ends with the test. */
async function startGateway(resources: Readonly<Record<string, object>> = {}): Promise<Running> {
  const [port, admin, control] = [await freePort(), await freePort(), await freePort()];
  const installation = await createInstallation(streamConfig({ tcp: [port], admin, control }));
  const { home } = installation;
  expect(await apisix(['start', '-p', home])).toMatchObject({ status: 0 });
  await putResources({ admin, control }, resources);
  return { ...installation, port, admin, control };
}

const upstream = { type: 'roundrobin', nodes: { '127.0.0.1:3306': 1 } };

test('explain tells where a connection goes, and its status whether it is served', async () => {
  const { home, port } = await startGateway({
    'upstreams/db': upstream,
    'stream_routes/office': { remote_addr: '10.0.0.0/8', upstream_id: 'db' },
  });
  const explain = (...args: string[]): ReturnType<typeof apisix> => apisix(['explain', '-p', home, ...args]);

  const served = await explain('--port', String(port), '--from', '10.1.2.3');
  expect([served.status, served.stderr]).toEqual([0, '']);
  expect(served.stdout.replaceAll(String(port), '9100')).toBe(
    `connection  tcp from 10.1.2.3 to 127.0.0.1:9100 (to assumed)
listener    0.0.0.0:9100, TLS not looked at
route       office
upstream    upstreams/db, roundrobin
outcome     served

NODE            WEIGHT  PRIORITY  SESSIONS  HEALTH   NEXT
127.0.0.1:3306       1         0         0  healthy  yes

ROUTE   PRIORITY  VERDICT  CONDITIONS              WHY
office         0  wins     remote_addr 10.0.0.0/8  -

1 of 1 routes match
`,
  );

  const refused = await explain('--port', String(port), '--json');
  expect(refused.status).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    served: false,
    code: 'ROUTE_NOT_FOUND',
    candidates: [{ route: 'office', verdict: 'misses', because: ['remote_addr'] }],
  });

  const wrong = await explain('--port', 'http');
  expect(wrong).toMatchObject({ status: 2, stdout: '' });
  expect(wrong.stderr).toContain(
    'expected a port that is connected to, from 1 to 65535, as port, found http',
  );
});

describe('status', () => {
  test('tells what a gateway that serves has, and 0', async () => {
    const { home, port, admin, control, pid } = await startGateway({
      'upstreams/db': upstream,
      'stream_routes/mysql': { upstream_id: 'db' },
    });

    const { status, stdout, stderr } = await apisix(['status', '-p', home]);

    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.replaceAll(/for \d+ s/g, 'for 1 s').replace(/APISIX \S+ is/, 'APISIX 1.2.3 is')).toBe(
      `APISIX 1.2.3 is serving

process      ${await pid()}, for 1 s
home         ${home}
config       ${home}/conf/config.yaml
role         traditional
store        embedded, following, revision 3
in effect    revision 3 in 1 worker
listeners    tcp 0.0.0.0:${port}
sessions     0 open
rejected     none
faults       none
health       nothing is checked
Admin API    http://127.0.0.1:${admin}/apisix/admin
Control API  http://127.0.0.1:${control}
log          ${home}/logs/error.log
`,
    );
    await fetch(`http://127.0.0.1:${control}/v1/drain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ route: 'mysql' }),
    });
    const drained = await apisix(['status', '-p', home]);
    expect(drained.stdout).toContain('draining     route mysql (0 sessions left)\n');
    const json: unknown = JSON.parse((await apisix(['status', '-p', home, '--json'])).stdout);
    expect(json).toMatchObject({
      state: 'serving',
      home,
      pid: await pid(),
      admin_api: { url: `http://127.0.0.1:${admin}/apisix/admin` },
      control_api: `http://127.0.0.1:${control}`,
      gateway: { phase: 'serving', applied_revision: 3, sessions: { open: 0 } },
      health: { nodes: 0 },
      draining: [{ route: 'mysql', sessions: 0 }],
    });
  });

  test('knows less where the Control API is off, and shows the key that was made', async () => {
    const [port, admin] = [await freePort(), await freePort()];
    const config = streamConfig({ tcp: [port], admin }).replace(
      'admin_key_required: false',
      "admin_key: [{ name: admin, key: '', role: admin }]",
    );
    const { home, read } = await createInstallation(config);
    await apisix(['start', '-p', home]);

    const { status, stdout } = await apisix(['status', '-p', home]);

    expect(status).toBe(0);
    expect(stdout).toMatch(/^APISIX is serving\n/);
    const key = (await read('data/admin.key')).trim();
    expect(stdout).toContain(`Admin key    ${key} (${home}/data/admin.key)\n`);
    expect(stdout).toContain('Control API  off, so there is nobody to ask for more\n');
  });

  test.for([
    ['there is no pid file', undefined, 3, 'stopped'],
    ['the pid file names nothing', 'nginx', 3, 'stopped'],
    ['the pid file names a process that is gone', '2147483647', 1, 'dead'],
    ['the process is no gateway', String(process.pid), 1, 'unclear'],
  ] as const)('when %s: status %s', async ([_claim, pid, status, state]) => {
    const { home, write } = await createInstallation(streamConfig({ tcp: [1] }));
    if (pid !== undefined) await write('logs/nginx.pid', pid);

    const { stdout, ...outcome } = await apisix(['status', '-p', home, '--json']);

    expect(outcome).toEqual({ status, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      state,
      home,
      reason: expect.stringContaining(pid ?? 'there is no'),
    });
  });
});

describe('logs', () => {
  test('shows the end of the log that the settings name', async () => {
    const installation = await createInstallation(
      streamConfig({ tcp: [1] }).replace('nginx_config:', 'nginx_config:\n  error_log: logs/other.log'),
    );
    const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index} ü`);
    await installation.write('logs/other.log', `${lines.join('\n')}\n`);
    const show = async (...args: string[]): Promise<string> =>
      (await apisix(['logs', '-p', installation.home, ...args])).stdout;

    expect(await show()).toBe(`${lines.slice(-10).join('\n')}\n`);
    expect(await show('-n', '20000')).toBe(`${lines.slice(-20_000).join('\n')}\n`);
    expect(await show('-n', '100000')).toBe(`${lines.join('\n')}\n`);
    expect(await show('-n', '0')).toBe('');
  });

  test.for([
    [['-n', 'x'], 'expected --lines from 0 to 100000, found x'],
    [['--access'], 'sessions leave no lines: nginx_config.stream.enable_access_log is false'],
    [[], 'there is no '],
  ] as const)('with %j says what is wrong', async ([args, reason]) => {
    const { home } = await createInstallation(streamConfig({ tcp: [1] }));

    const { status, stdout, stderr } = await apisix(['logs', '-p', home, ...args]);

    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`the log cannot be shown: ${reason}`);
    expect(stderr).toContain('(LOG_UNREADABLE)');
  });
});
