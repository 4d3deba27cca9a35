import { expect, test } from 'vitest';
import { statusLine } from '../progress.ts';
import { testContext } from '../testing/test-context.ts';
import { showChanges, summary } from './show-report.ts';

const report = {
  created: ['upstreams/new'],
  updated: [
    {
      key: 'upstreams/1',
      changes: [
        { path: 'desc', to: 'x'.repeat(100) },
        { path: 'name', from: 'n' },
        { path: 'retries', from: 1, to: 2 },
      ],
    },
  ],
  deleted: ['upstreams/old'],
  kept: ['upstreams/a', 'upstreams/b'],
  unchanged: 7,
  warnings: [],
};

test('a change is a line, long values are cut', () => {
  const context = testContext({});

  showChanges(context, report);

  expect(context.printed.stdout).toBe(`+ upstreams/new
~ upstreams/1
    + desc: "${'x'.repeat(79)}…
    - name: "n"
    ~ retries: 1 -> 2
- upstreams/old
`);
  expect(summary(report)).toBe(
    '1 created, 1 updated, 1 deleted, 7 unchanged; 2 of the store are not in the file and stay, --prune would delete them',
  );
});

test.for([
  ['on a terminal', {}, true],
  ['on a terminal whose user wants none', { NO_COLOR: '1' }, false],
] as const)('colours are %s', ([, env, isColoured]) => {
  let shown = '';
  const stdout = { isTTY: true, write: (text: string) => (shown += text) };

  showChanges(testContext({ stdout, env }), { ...report, updated: [], deleted: [] });

  expect(shown).toBe(isColoured ? '\u001B[32m+ upstreams/new\u001B[0m\n' : '+ upstreams/new\n');
});

test.for([
  [true, '\rlate\u001B[K\r\u001B[K'],
  [undefined, ''],
] as const)('progress is shown after a second, where there is a terminal: %s', ([isTTY, expected]) => {
  let shown = '';
  let nowMs = 0;
  const line = statusLine(
    testContext({
      stderr: { ...(isTTY && { isTTY }), write: (text: string) => (shown += text) },
      clock: { now: () => nowMs, after: () => () => {} },
    }),
  );

  line.show('early');
  nowMs = 1000;
  line.show('late');
  line.clear();

  expect(shown).toBe(expected);
});
