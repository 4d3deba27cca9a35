/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substitution {
  /** The value with every variable replaced; a number or a boolean where the text then reads as one. */
  readonly value: string | number | boolean;
  /** The names that were looked up, in order. Empty: the text had none, and `value` is the text itself. */
  readonly variables: readonly string[];
  /** Those that are unset and have no default; they stand in `value` as they were written. */
  readonly missing: readonly string[];
}

/**
 * Replaces `${{NAME}}` and `${{NAME:=default}}` in one string of config.yaml. A variable that is set but empty counts;
 * the default does not replace it. Quotes in the YAML do not keep a result from becoming a number or boolean.
 */
export function substitute(text: string, env: Environment): Substitution {
  const variables: string[] = [];
  const missing: string[] = [];

  const replaced = text.replaceAll(/\$\{\{\s*(\w+[:=]?.*?)\s*\}\}/gs, (written, inner: string) => {
    const split = inner.indexOf(':=');
    // A blank before `:=` belongs to the name, as in the reference: such a variable is never set.
    const name = split < 0 ? inner : inner.slice(0, split);
    variables.push(name);

    const value = env[name];
    if (value !== undefined) return value;
    if (split >= 0) return inner.slice(split + 2).trim();
    missing.push(name);
    return written;
  });

  return { value: variables.length === 0 ? text : coerce(replaced), variables, missing };
}

const decimal = /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?\s*$/i;
const hexadecimal = /^\s*[-+]?0x[\da-f]+\s*$/i;

function coerce(text: string): string | number | boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (decimal.test(text)) return Number(text);
  if (hexadecimal.test(text)) return Number.parseInt(text.trim(), 16);
  return text;
}
