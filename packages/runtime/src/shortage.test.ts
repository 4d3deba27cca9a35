import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectPeer, openEcho } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';

/** The command that runs a program with these arguments. */
function program(url: URL, ...args: readonly unknown[]): readonly string[] {
  return [process.execPath, '--conditions=@apisix-ts/source', fileURLToPath(url), ...args.map(String)];
}

test('without a descriptor a session ends at once, no node is blamed, and the next one is served', async () => {
  const [first, second] = await Promise.all([openEcho(), openEcho()]);
  onTestFinished(async () => {
    await Promise.all([first.close(), second.close()]);
  });
  const node = program(new URL('testing/starved-gateway.ts', import.meta.url), first.port, second.port);
  const child = spawn('sh', ['-c', 'ulimit -n 200 && exec "$@"', 'sh', ...node], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  const port = Number(await nextLine());

  child.stdin.write('starve\n');
  await nextLine();
  for (let count = 0; count < 3; count += 1) {
    const client = await connectPeer(port);
    expect(await client.rest()).toMatchObject({ bytes: 0, ending: 'end' });
    client.destroy();
  }
  child.stdin.write('feed\n');
  await nextLine();
  const client = await connectPeer(port);
  await client.send('hello');
  expect((await client.take(5)).toString()).toBe('hello');
  client.end();
  await client.rest();
  child.stdin.end();
  const outcome: unknown = JSON.parse(await nextLine());
  await once(child, 'exit');

  const exhausted = expect.stringMatching(/^GATEWAY_EXHAUSTED 127\.0\.0\.1:\d+$/);
  expect(outcome).toEqual({
    // One line a second for each node.
    logged: expect.arrayContaining(['GATEWAY_EXHAUSTED']),
    access: [exhausted, exhausted, exhausted, expect.stringMatching(/^OK 127\.0\.0\.1:\d+$/)],
    statuses: ['healthy', 'healthy'],
  });
});

test('a probe without a descriptor says nothing about its node', () => {
  const limited = [
    '-c',
    'ulimit -n 100 && exec "$@"',
    'sh',
    ...program(new URL('testing/starved-monitor.ts', import.meta.url)),
  ];

  const { stdout, stderr } = spawnSync('sh', limited, { encoding: 'utf8', timeout: 100_000 });

  const none = { success: 0, http_failure: 0, tcp_failure: 0, timeout_failure: 0 };
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    lines: [
      { level: 'error', message: 'nodes cannot be probed', code: 'GATEWAY_EXHAUSTED', errno: 'EMFILE' },
    ],
    states: ['tcp', 'udp', 'http', 'https'].map((type) => ({ type, ...none })),
  });
});

/** As root. */
const canMakeNetworks = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0;

test.runIf(canMakeNetworks)(
  'without a local port towards a node the next node is tried, and the first is not blamed',
  () => {
    const shell = 'ip link set lo up && sysctl -qw net.ipv4.ip_local_port_range="40000 40000" && exec "$@"';
    const args = [
      '--net',
      'sh',
      '-c',
      shell,
      'sh',
      ...program(new URL('testing/portless-gateway.ts', import.meta.url)),
    ];

    const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 100_000 });

    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      answers: ['127.0.0.5', '127.0.0.6'],
      logged: ['GATEWAY_EXHAUSTED', 'EADDRNOTAVAIL'],
      statuses: ['healthy', 'healthy'],
    });
  },
);
