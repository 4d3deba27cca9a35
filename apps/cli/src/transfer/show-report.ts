import type { FieldChange, ImportReport } from '@apisix-ts/admin';
import type { CommandContext } from '../command.ts';

const colours = { '+': '\u001B[32m', '-': '\u001B[31m', '~': '\u001B[33m' } as const;
const plain = '\u001B[0m';
const shownCharacters = 80;

type Mark = keyof typeof colours;

/** The changes for people to read: a line for each resource, and for each member of one that is not what it was. */
export function showChanges({ stdout, env }: CommandContext, report: ImportReport): void {
  const isColoured = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '';
  const line = (mark: Mark, text: string, indent = ''): void => {
    const shown = `${mark} ${text}`;
    stdout.write(`${indent}${isColoured ? `${colours[mark]}${shown}${plain}` : shown}\n`);
  };
  for (const key of report.created) line('+', key);
  for (const { key, changes } of report.updated) {
    line('~', key);
    for (const change of changes) line(markOf(change), describe(change), '    ');
  }
  for (const key of report.deleted) line('-', key);
}

function markOf(change: FieldChange): Mark {
  if (!('from' in change)) return '+';
  return 'to' in change ? '~' : '-';
}

function describe({ path, ...change }: FieldChange): string {
  const place = path === '' ? '' : `${path}: `;
  const values = [
    ...('from' in change ? [show(change.from)] : []),
    ...('to' in change ? [show(change.to)] : []),
  ];
  return place + values.join(' -> ');
}

function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`;
}

/** How many of each. @param verb `would be` before they are, else empty. */
export function summary({ created, updated, deleted, kept, unchanged }: ImportReport): string {
  const counts = `${created.length} created, ${updated.length} updated, ${deleted.length} deleted, ${unchanged} unchanged`;
  if (kept.length === 0) return counts;
  const [are, them] = kept.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return `${counts}; ${kept.length} of the store ${are} not in the file and ${are === 'is' ? 'stays' : 'stay'}, --prune would delete ${them}`;
}
