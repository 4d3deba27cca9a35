import { logText } from './log-text.ts';
import type { SessionRecord } from './session-record.ts';
import { variables } from './variables.ts';
import type { Variable } from './variables.ts';

/** `default` writes a missing value as `-` and unprintable bytes as `\xNN`; `json` gives what stands in a JSON string. */
export type AccessLogEscape = 'default' | 'json';

/**
 * Compiles a format of nginx, text with `$name` and `${name}` in it. A variable that does not exist has no value.
 * @returns the line of a session, with its line break.
 */
export function compileAccessLog(format: string, escape: AccessLogEscape): (record: SessionRecord) => string {
  const parts = splitFormat(format);
  const write = escape === 'json' ? writeJson : logText;
  return (record) => {
    let line = '';
    for (const part of parts) line += typeof part === 'string' ? part : write(part(record));
    return `${line}\n`;
  };
}

function splitFormat(format: string): readonly (string | Variable)[] {
  const parts: (string | Variable)[] = [];
  let end = 0;
  for (const match of format.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)) {
    parts.push(format.slice(end, match.index));
    parts.push(variables.get(match[1] ?? match[2] ?? '') ?? noValue);
    end = match.index + match[0].length;
  }
  parts.push(format.slice(end));
  return parts.filter((part) => part !== '');
}

function noValue(): undefined {
  return undefined;
}

/** An absent value is an empty text, which keeps the line valid JSON. */
function writeJson(value: string | number | undefined): string {
  return value === undefined ? '' : JSON.stringify(String(value)).slice(1, -1);
}
