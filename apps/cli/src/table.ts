import type { CommandContext } from './command.ts';
import { createPaint } from './paint.ts';
import { printable } from './printable.ts';

/** A column of a table; a row without a value there shows `-`. */
export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | undefined;
}

const GAP = '  ';

/**
 * Writes rows below one another, as wide as the widest value of each column, numbers to the right. On a terminal the
 * titles are bold, unless `NO_COLOR` is set, and lines are cut where it ends; otherwise the whole lines are plain text.
 */
export function writeTable<Row>(
  { stdout, env }: Pick<CommandContext, 'stdout' | 'env'>,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  const texts = rows.map((row) => columns.map(({ value }) => showValue(value(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...texts.map((line) => line[index]?.length ?? 0)),
  );
  const areNumbers = columns.map(({ value }) => {
    const values = rows.map((row) => value(row)).filter((each) => each !== undefined);
    return values.length > 0 && values.every((each) => typeof each === 'number');
  });
  // A terminal that nobody looks at, as `script` makes in the background, has no width.
  const mostCharacters = (stdout.isTTY === true && stdout.columns) || Infinity;
  const layOut = (line: readonly string[]): string =>
    line
      .map((text, index) => pad(text, widths[index] ?? 0, areNumbers[index] === true))
      .join(GAP)
      .trimEnd()
      .slice(0, mostCharacters);

  const titles = layOut(columns.map(({ title }) => title));
  const lines = [createPaint({ stdout, env }).bold(titles), ...texts.map(layOut)];
  stdout.write(lines.map((line) => `${line}\n`).join(''));
}

function pad(text: string, width: number, isNumber: boolean): string {
  return isNumber ? text.padStart(width) : text.padEnd(width);
}

function showValue(value: string | number | undefined): string {
  return value === undefined || value === '' ? '-' : printable(String(value));
}
