import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { apisix } from '../testing/apisix.ts';
import { commands } from './index.ts';

describe('in a real bash', () => {
  let script = '';

  beforeAll(async () => {
    script = (await apisix(['completion', 'bash'])).stdout;
  }, 20_000);

  /** What bash offers in the place of the last word. */
  function complete(words: readonly string[], cwd = tmpdir()): readonly string[] {
    const program = `${script}
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_apisix
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', program, 'bash', ...words], {
      cwd,
      encoding: 'utf8',
    });
    // Without a completion that is under way, bash says of compopt that there is none.
    expect([status, stderr.replaceAll(/^.*compopt: not currently executing.*\n/gm, '')]).toEqual([0, '']);
    return stdout.split('\n').filter(Boolean);
  }

  test('it is registered for the command', () => {
    const { stdout } = spawnSync('bash', ['--norc', '-c', `${script}\ncomplete -p apisix`], {
      encoding: 'utf8',
    });

    expect(stdout).toBe('complete -F _apisix apisix\n');
  });

  test('every action is offered', () => {
    expect(complete(['apisix', ''])).toEqual(commands.map(({ name }) => name));
  });

  test.for([
    [
      ['apisix', 'init'],
      ['init', 'init_etcd'],
    ],
    [['apisix', '--home', '/srv', 'relo'], ['reload']],
    [['apisix', 'explain', '--pro'], ['--protocol']],
    [
      ['apisix', 'explain', '--protocol', ''],
      ['tcp', 'udp'],
    ],
    [['apisix', 'start', '-p', '/srv', '--fo'], ['--foreground']],
    [
      ['apisix', 'help', 'sta'],
      ['start', 'status'],
    ],
    [
      ['apisix', 'connections', ''],
      ['list', 'close'],
    ],
    [['apisix', 'completion', 'f'], ['fish']],
    [['apisix', 'logs', '--lines', ''], []],
    [['apisix', 'stop', 'x'], []],
    [['apisix', 'nothing', '-'], []],
  ] as const)('%j goes on as %j', ([words, offered]) => {
    expect(complete(words)).toEqual(offered);
  });

  test('files and folders are offered where they belong, also with blanks', () => {
    const folder = mkdtempSync(join(tmpdir(), 'apisix-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'my home'));
    writeFileSync(join(folder, 'my all.yaml'), '');

    expect(complete(['apisix', 'import', 'my'], folder).toSorted()).toEqual(['my all.yaml', 'my home']);
    expect(complete(['apisix', 'start', '--config', 'my a'], folder)).toEqual(['my all.yaml']);
    expect(complete(['apisix', 'start', '--home', 'my'], folder)).toEqual(['my home']);
  });
});

test.for(['zsh', 'fish'])('%s gets every action and option, in its own notation', async (shell) => {
  const { status, stdout } = await apisix(['completion', shell]);

  expect(status).toBe(0);
  for (const { name } of commands) expect(stdout).toContain(name);
  const option = shell === 'zsh' ? "'(--foreground -f)'{--foreground,-f}" : '-l foreground -s f';
  expect(stdout).toContain(option);
});

test('a shell that is not known is refused, and the ones that are told', async () => {
  expect(await apisix(['completion', 'bsh'])).toEqual({
    status: 2,
    stdout: '',
    stderr: 'expected bash, zsh, fish, found bsh (did you mean bash?)\n',
  });
});
