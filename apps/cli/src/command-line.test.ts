import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { apisix } from './testing/apisix.ts';

const actions = [
  'help',
  'init',
  'init_etcd',
  'start',
  'stop',
  'quit',
  'restart',
  'reload',
  'upgrade',
  'test',
  'status',
  'explain',
  'export',
  'import',
  'diff',
  'connections',
  'drain',
  'logs',
  'completion',
  'version',
];

describe('the apisix command', () => {
  test.for(['', 'help', '--help', '-h'])('"apisix %s" lists the actions in their order', async (words) => {
    const { status, stdout, stderr } = await apisix(words.split(' ').filter(Boolean));

    const [usage, blank, ...rest] = stdout.split('\n');
    expect([status, stderr, usage, blank]).toEqual([0, '', 'Usage: apisix [action] <argument>', '']);
    expect(rest.slice(0, rest.indexOf('')).map((line) => line.split(':')[0])).toEqual(actions);
  });

  test('says which action was probably meant, and which option', async () => {
    expect((await apisix(['strat'])).stderr).toBe('invalid argument: strat (did you mean start?)\n');
    expect((await apisix(['help', 'relaod'])).stderr).toBe(
      'invalid argument: relaod (did you mean reload?)\n',
    );
    expect((await apisix(['logs', '--folow'])).stderr).toMatch(
      /^Unknown option '--folow' \(did you mean --follow\?\)\n/,
    );
    expect((await apisix(['explain', '--protocol', 'sctp'])).stderr).toMatch(
      /^expected --protocol tcp or udp, found sctp\n/,
    );
  });

  test('refuses an unknown action and lists those there are', async () => {
    const { status, stdout, stderr } = await apisix(['begin']);

    expect([status, stderr]).toEqual([2, 'invalid argument: begin\n']);
    expect(stdout).toContain('Usage: apisix [action] <argument>');
  });

  test.for([
    [['start', '--fast'], "Unknown option '--fast'"],
    [['start', '-c'], "Option '-c, --config <value>' argument missing"],
    [['stop', '-c', 'x.yaml'], "Unknown option '-c'"],
    [['stop', 'now'], "Unexpected argument 'now'"],
  ] as const)('refuses %j and tells how the action is called', async ([args, problem]) => {
    const { status, stdout, stderr } = await apisix(args);

    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.split('\n').slice(0, 3)).toEqual([problem, '', `Usage: apisix ${args[0]} [options]`]);
  });

  test.for(['help start', 'start --help', 'start -h', '-h start'])(
    '"apisix %s" tells how start is called',
    async (line) => {
      const { status, stdout, stderr } = await apisix(line.split(' '));

      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain('Usage: apisix start [options]');
      for (const option of ['-c, --config FILE', '-f, --foreground', '-p, --home DIR']) {
        expect(stdout).toContain(option);
      }
    },
  );

  test.for(['version', '-v', '--version'])('"apisix %s" prints the version', async (word) => {
    const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

    const { status, stdout } = await apisix([word]);

    expect(status).toBe(0);
    expect(manifest).toMatchObject({ version: stdout.trim() });
  });
});
