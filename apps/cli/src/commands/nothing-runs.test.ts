import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { apisix } from '../testing/apisix.ts';
import { createInstallation, streamConfig } from '../testing/installation.ts';
import { testContext } from '../testing/test-context.ts';

const config = streamConfig({ tcp: [9100] });
/** More than the id of any process: that of one which was may be another's by now, and would get the signal. */
const ended = '2147483647';

describe.for(['stop', 'quit', 'reload', 'upgrade'])('%s, when no gateway runs', (action) => {
  test('fails and names the file it looked for', async () => {
    const { home } = await createInstallation(config);

    const { status, stderr } = await apisix([action, '-p', home]);

    expect([status, stderr]).toEqual([
      1,
      `APISIX is not running: there is no ${home}/logs/nginx.pid (GATEWAY_NOT_RUNNING)\n`,
    ]);
  });

  test.for([
    { content: ended, problem: 'which is gone' },
    { content: 'nginx', problem: 'has no process id' },
    { content: '', problem: 'has no process id' },
    { content: '-1', problem: 'invalid pid' },
    { content: '0', problem: 'invalid pid' },
  ])('fails when the pid file holds "$content"', async ({ content, problem }) => {
    const { home, write } = await createInstallation(config);
    await write('logs/nginx.pid', content);
    const context = testContext({});

    const status = await runCommandLine([action, '-p', home], context);

    expect([status, context.printed.stdout]).toEqual([1, '']);
    expect(context.printed.stderr).toContain(problem);
    expect(context.printed.stderr).toContain(`${home}/logs/nginx.pid`);
  });
});

test.runIf(process.platform === 'linux').for(['stop', 'quit', 'reload', 'upgrade'])(
  '%s signals no process that has got the id of a gateway which is gone',
  async (action) => {
    const { home, write } = await createInstallation(config);
    const { pid } = process; // A SIGTERM, a SIGQUIT, a SIGHUP or a SIGUSR2 would end these tests.
    await write('logs/nginx.pid', `${pid}\n`);
    await write(
      'logs/apisix.json',
      JSON.stringify({ pid, identity: 'another boot 1', config: 'absent.yaml' }),
    );

    const { status, stderr } = await apisix([action, '-p', home]);

    expect(status).toBe(1);
    expect(stderr).toContain(
      `APISIX is not running: ${home}/logs/nginx.pid names process ${pid}, which is gone`,
    );
  },
);

test.for([
  ['reload', 'is not a gateway that serves'],
  ['upgrade', 'is no gateway that can be upgraded while it runs: use apisix restart'],
] as const)('%s signals no process that is not a gateway', async ([action, problem]) => {
  const { home, write } = await createInstallation(config);
  await write('logs/nginx.pid', `${process.pid}\n`); // A SIGHUP or a SIGUSR2 would end these tests.

  const { status, stderr } = await apisix([action, '-p', home]);

  expect(status).toBe(1);
  expect(stderr).toContain(`process ${process.pid}, named by ${home}/logs/nginx.pid, ${problem}`);
});

test('start does not start when the pid file holds -1', async () => {
  const { home, write } = await createInstallation(config);
  await write('logs/nginx.pid', '-1');

  const { status, stdout, stderr } = await apisix(['start', '-p', home]);

  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain('invalid pid');
  expect(stderr).not.toContain('still running');
});
