import { expect, test } from 'vitest';
import type { Output } from './command.ts';
import { writeTable } from './table.ts';
import type { Column } from './table.ts';

interface Row {
  readonly name?: string;
  readonly age: number;
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'AGE', value: ({ age }) => age },
];

function print(rows: readonly Row[], terminal: Partial<Output> = {}, env: NodeJS.ProcessEnv = {}): string {
  let printed = '';
  writeTable({ stdout: { write: (text) => (printed += text), ...terminal }, env }, columns, rows);
  return printed;
}

test('lines columns up, with numbers to the right and a dash for what is absent', () => {
  expect(print([{ name: 'a longer name', age: 5 }, { age: 1200 }])).toBe(
    ['NAME            AGE', 'a longer name     5', '-              1200', ''].join('\n'),
  );
});

test('has its titles when there is nothing to show', () => {
  expect(print([])).toBe('NAME  AGE\n');
});

test('shows control characters of strangers instead of obeying them', () => {
  expect(print([{ name: 'a\u001B[2Jb\n', age: 1 }])).toContain('a\\x1b[2Jb\\x0a');
});

test('is cut at the edge of a terminal, below bold titles', () => {
  expect(print([{ name: 'a longer name', age: 5 }], { isTTY: true, columns: 6 })).toBe(
    '\u001B[1mNAME  \u001B[0m\na long\n',
  );
});

test('is not bold where NO_COLOR is set', () => {
  expect(print([], { isTTY: true }, { NO_COLOR: '1' })).toBe('NAME  AGE\n');
});

test('is whole on a terminal that has no width', () => {
  expect(print([{ name: 'a longer name', age: 5 }], { isTTY: true, columns: 0 })).toBe(
    '\u001B[1mNAME           AGE\u001B[0m\na longer name    5\n',
  );
});
