import type { Spread } from './measure/statistics.ts';

/** What a case has to say: Markdown. */
export interface Section {
  readonly title: string;
  /** What was done, and what to know about it. */
  readonly notes: readonly string[];
  readonly tables: readonly Table[];
}

export interface Table {
  readonly title?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function toMarkdown({ title, notes, tables }: Section): string {
  return [`## ${title}`, ...notes, ...tables.map(tableToMarkdown)].map((block) => `${block}\n`).join('\n');
}

function tableToMarkdown({ title, columns, rows }: Table): string {
  const rule = columns.map(() => '---');
  const lines = [columns, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [...(title === undefined ? [] : [`### ${title}`, '']), ...lines].join('\n');
}

/** `95 200 (91 000–97 000)`, each rounded to three significant digits. */
export function showSpread({ median, min, max }: Spread): string {
  return `${show(median)} (${show(min)}–${show(max)})`;
}

export function show(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en').replaceAll(',', ' ');
}
