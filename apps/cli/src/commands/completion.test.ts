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
  });

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

const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

describe.skipIf(!isThere('fish'))('in a real fish', () => {
  test.for([
    ['apisix relo', ['reload']],
    ['apisix --home /srv relo', ['reload']],
    ['apisix explain --protocol ', ['tcp', 'udp']],
    ['apisix start --fo', ['--foreground']],
    ['apisix help start --fo', []],
    ['apisix --home /et', ['/etc/']],
    ['apisix connections ', ['close', 'list']],
  ] as const)('%j goes on as %j', async ([line, offered]) => {
    const { stdout: script } = await apisix(['completion', 'fish']);

    const { stdout, stderr } = spawnSync(
      'fish',
      ['--no-config', '--command', `${script}\ncomplete -C '${line}'`],
      {
        encoding: 'utf8',
      },
    );

    expect(stderr).toBe('');
    const lines = stdout.split('\n').filter(Boolean);
    // What it is comes after a tab.
    expect(lines.map((text) => text.split('\t')[0])).toEqual(offered);
  });
});

test.skipIf(!isThere('zsh'))('a real zsh has it for the command', async () => {
  const { stdout: script } = await apisix(['completion', 'zsh']);
  const folder = mkdtempSync(join(tmpdir(), 'apisix-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));

  const program = `autoload -Uz compinit && compinit -u -d ${folder}/dump\n${script}\necho $_comps[apisix]`;
  const { stdout, stderr } = spawnSync('zsh', ['--no-rcs', '-ec', program], { encoding: 'utf8' });

  expect([stdout, stderr]).toEqual(['_apisix\n', '']);
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
