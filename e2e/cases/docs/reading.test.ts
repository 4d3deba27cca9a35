import { describe, expect, test } from 'vitest';
import { readPage } from '../../testbed/docs/page.ts';

const fence = '```';

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
        opens: [],
        fails: false,
      },
      { does: 'run', line: 14, text: 'if true; then\n  echo again\nfi', opens: [], fails: false },
    ]);
  });

  test('writes blocks that have a path as their title', () => {
    const page = `${fence}yaml title="conf/config.yaml"\napisix: {}\n${fence}\n\n${fence}yaml\nother: 1\n${fence}`;

    expect(readPage(page)).toEqual([
      { does: 'write', line: 1, path: 'conf/config.yaml', text: 'apisix: {}' },
    ]);
  });

  test('says in a comment what cannot be run, what fails, and which ports are opened', () => {
    const page = `
<!-- test: not run, needs systemd -->

${fence}sh
systemctl start x
${fence}

<!-- test: opens 6379 6380 -->
${fence}sh
start servers
${fence}

<!-- test: fails -->
${fence}sh
wrong
${fence}
`;

    expect(readPage(page)).toEqual([
      { does: 'leave out', line: 4, reason: 'needs systemd' },
      { does: 'run', line: 9, text: 'start servers', opens: [6379, 6380], fails: false },
      { does: 'run', line: 14, text: 'wrong', opens: [], fails: true },
    ]);
  });

  test.for([
    [
      'of unknown words',
      `<!-- test: skip -->\n${fence}sh\nls\n${fence}`,
      'expected "not run, …", "opens …" or "fails"',
    ],
    ['that is misspelled', `<!-- test not run, x -->\n${fence}sh\nls\n${fence}`, 'is not read'],
    ['above something else', `<!-- test: not run, x -->\n\nText.`, 'is not read'],
  ])('refuses a comment %s', ([, page = '', message]) => {
    expect(() => readPage(page)).toThrow(message);
  });
});
