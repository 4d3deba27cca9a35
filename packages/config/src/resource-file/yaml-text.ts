import { isMap } from '../source/key-path.ts';

/**
 * Writes a JSON value as block YAML that YAML 1.1 and 1.2 read alike: text is in quotes unless no reader can take it for
 * anything else, and text of several lines is a literal block. `${{` never stands there as it is, since a file of
 * resources would have it replaced. Written here because the `yaml` package needs 25 s for 100 000 resources, for
 * 0.5 s here, and quotes by one version's rules.
 * @param value plain JSON data.
 * @returns lines, each with its end.
 */
export function yamlText(value: Readonly<Record<string, unknown>>): string {
  const lines: string[] = [];
  writeMap(value, '', '', lines);
  return lines.join('');
}

/** @param lead stands before the first line in place of `indent`: the dash of a list. */
function writeMap(
  map: Readonly<Record<string, unknown>>,
  indent: string,
  lead: string,
  lines: string[],
): void {
  let start = lead === '' ? indent : lead;
  for (const [key, value] of Object.entries(map)) {
    writeValue(value, `${start}${isPlain(key) ? key : quoted(key)}:`, indent, lines);
    start = indent;
  }
}

/** @param head all of the line that comes before the value. */
function writeValue(value: unknown, head: string, indent: string, lines: string[]): void {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) lines.push(`${head} []\n`);
    else {
      lines.push(`${head}\n`);
      for (const item of value) writeItem(item, inner, lines);
    }
  } else if (isMap(value)) {
    if (Object.keys(value).length === 0) lines.push(`${head} {}\n`);
    else {
      lines.push(`${head}\n`);
      writeMap(value, inner, '', lines);
    }
  } else {
    lines.push(`${head} ${scalar(value, inner)}\n`);
  }
}

function writeItem(item: unknown, indent: string, lines: string[]): void {
  if (isMap(item) && Object.keys(item).length > 0) writeMap(item, `${indent}  `, `${indent}- `, lines);
  else writeValue(item, `${indent}-`, indent, lines);
}

function scalar(value: unknown, indent: string): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  if (isPlain(value)) return value;
  return (value.includes('\n') ? literal(value, indent) : undefined) ?? quoted(value);
}

/** What YAML readers refuse, or take for the end of a line; and where a variable would begin. */
const unwritable = /[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]|\$\{\{/u;

/** @returns undefined unless every line begins and ends with something to see. */
function literal(text: string, indent: string): string | undefined {
  const isEnded = text.endsWith('\n');
  const lines = (isEnded ? text.slice(0, -1) : text).split('\n');
  if (!lines.every((line) => /^\S(?:.*\S)?$/.test(line) && !unwritable.test(line))) return undefined;
  return `${isEnded ? '|' : '|-'}\n${lines.map((line) => `${indent}${line}`).join('\n')}`;
}

function quoted(text: string): string {
  return JSON.stringify(text)
    .replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, escaped)
    .replaceAll('${{', String.raw`$\u007b{`);
}

function escaped(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

/** Words and paths that begin with a letter, and are nothing but text in any version of YAML. */
function isPlain(text: string): boolean {
  return /^[A-Za-z][\w./-]*(?: [\w./-]+)*$/.test(text) && !special.test(text);
}

const special = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;
