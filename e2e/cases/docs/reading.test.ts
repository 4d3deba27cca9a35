import { describe, expect, test } from 'vitest';
import { runHandedOver } from '../../testbed/docs/handed-over.ts';
import { readPage } from '../../testbed/docs/page.ts';

const fence = '```';
/** What commands are about which a page says nothing more. */
const plain = { shell: 'sh', opens: [], typed: [], fails: false };

describe('a page', () => {
  test('has a step for each block of sh, with the output right below it', () => {
    const page = `
Say:

${fence}sh
echo hello
${fence}

${fence}text
hello
${fence}

1. And then:

   ${fence}sh
   if true; then
     echo again
   fi
   ${fence}

   It says:

   ${fence}json
   {}
   ${fence}
`;

    expect(readPage(page)).toEqual([
      {
        does: 'run',
        line: 4,
        text: 'echo hello',
        output: { text: 'hello', isJson: false },
        ...plain,
      },
      { does: 'run', line: 14, text: 'if true; then\n  echo again\nfi', ...plain },
    ]);
  });

  test('writes blocks that have a path as their title', () => {
    const page = `${fence}yaml title="conf/config.yaml"\napisix: {}\n${fence}\n\n${fence}yaml\nother: 1\n${fence}`;

    expect(readPage(page)).toEqual([
      { does: 'write', line: 1, path: 'conf/config.yaml', text: 'apisix: {}' },
    ]);
  });

  test('has commands for other shells', () => {
    expect(readPage(`${fence}fish\necho hello\n${fence}`)).toEqual([
      { does: 'run', line: 1, text: 'echo hello', ...plain, shell: 'fish' },
    ]);
  });

  test('says in a comment what cannot be run or elsewhere, what fails or is typed, and which ports are opened', () => {
    const page = `
<!-- test: not run, it makes a release -->

${fence}sh
release
${fence}

<!-- test: run by container.test.ts -->
${fence}sh
docker run
${fence}

<!-- test: opens 6379 6380 -->
${fence}sh
start servers
${fence}

<!-- test: fails -->
${fence}sh
wrong
${fence}

<!-- test: at "password: " types "secret", at "> " types Ctrl-C -->
${fence}sh
log in
${fence}
`;

    expect(readPage(page)).toEqual([
      { does: 'leave out', line: 4, reason: 'it makes a release' },
      { does: 'hand over', line: 9, text: 'docker run', to: 'container.test.ts' },
      { does: 'run', line: 14, text: 'start servers', ...plain, opens: [6379, 6380] },
      { does: 'run', line: 19, text: 'wrong', ...plain, fails: true },
      {
        does: 'run',
        line: 24,
        text: 'log in',
        ...plain,
        typed: [
          { at: 'password: ', keys: 'secret\n' },
          { at: '> ', keys: '\u0003' },
        ],
      },
    ]);
  });

  test.for([
    [
      'of unknown words',
      `<!-- test: skip -->\n${fence}sh\nls\n${fence}`,
      'expected "not run, …", "run by ….test.ts", "opens …"',
    ],
    ['that is misspelled', `<!-- test not run, x -->\n${fence}sh\nls\n${fence}`, 'is not read'],
    ['above something else', `<!-- test: not run, x -->\n\nText.`, 'is not read'],
  ])('refuses a comment %s', ([, page = '', message]) => {
    expect(() => readPage(page)).toThrow(message);
  });
});

describe('a test to which commands are left', () => {
  const page = 'docs/operations/upgrading.md';

  test('gets them, and no others', async () => {
    await runHandedOver('/somewhere/npm.test.ts', page, async (next) => {
      expect(next()).toContain('npm install');
      expect(next).toThrow('has no further block for npm.test.ts');
    });
  });

  test('fails when it leaves one', async () => {
    const nothing = runHandedOver('/somewhere/npm.test.ts', page, async () => {});

    await expect(nothing).rejects.toThrow(
      /^docs\/operations\/upgrading.md:\d+ says that npm.test.ts runs it/,
    );
  });
});
