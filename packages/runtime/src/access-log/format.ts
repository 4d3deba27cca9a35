import { splitTemplate } from '@apisix-ts/core';
import type { VariableSource } from '../variables/variable-source.ts';
import { compileVariable } from '../variables/variables.ts';
import { logText } from './log-text.ts';

/** `default` writes a missing value as `-` and unprintable bytes as `\xNN`; `json` gives what stands in a JSON string. */
export type AccessLogEscape = 'default' | 'json';

/**
 * Compiles a format of nginx, text with `$name` and `${name}` in it. A variable that does not exist has no value.
 * @returns the line of a session, with its line break.
 */
export function compileAccessLog(
  format: string,
  escape: AccessLogEscape,
): (session: VariableSource) => string {
  const write = escape === 'json' ? writeJson : logText;
  const parts = splitTemplate(format).map((part) =>
    typeof part === 'string' ? part : compileVariable(part.variable),
  );
  return (session) => {
    let line = '';
    for (const part of parts) line += typeof part === 'string' ? part : write(part(session));
    return `${line}\n`;
  };
}

/** An absent value is an empty text, which keeps the line valid JSON. */
function writeJson(value: string | number | undefined): string {
  return value === undefined ? '' : JSON.stringify(String(value)).slice(1, -1);
}
