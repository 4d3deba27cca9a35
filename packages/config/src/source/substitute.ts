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
 * Replaces `${{NAME}}` and `${{NAME:=default}}` in one string that was parsed. A variable that is set but empty counts;
 * the default does not replace it. Quotes in the YAML do not keep a result from becoming a number or boolean.
 */
export function substitute(text: string, env: Environment): Substitution {
  const variables: string[] = [];
  const missing: string[] = [];

  const replaced = text.replaceAll(/\$\{\{\s*(\w+[:=]?.*?)\s*\}\}/gs, (written, inner: string) => {
    const { name, value } = lookUp(inner, env);
    variables.push(name);
    if (value === undefined) missing.push(name);
    return value ?? written;
  });

  return { value: variables.length === 0 ? text : coerce(replaced), variables, missing };
}

export interface TextSubstitution {
  /** With every variable replaced. */
  readonly text: string;
  /** Those that are unset and have no default, and where in the former text they stand. */
  readonly missing: readonly { readonly name: string; readonly offset: number }[];
  /** The place in the former text that a place in the new one comes from. */
  readonly originOf: (offset: number) => number;
}

/** The same in a whole text before it is parsed, comments included. What the values mean is up to the parser. */
export function substituteText(text: string, env: Environment): TextSubstitution {
  const missing: { name: string; offset: number }[] = [];
  /** Where a value begins and ends in the new text, and the reference to it in the former one. */
  const values: { start: number; end: number; from: number; to: number }[] = [];
  let grown = 0;

  const replaced = text.replaceAll(
    /\$\{\{\s*(\w+[:=]?.*?)\s*\}\}/g,
    (written, inner: string, offset: number) => {
      const { name, value } = lookUp(inner, env);
      if (value === undefined) {
        missing.push({ name, offset });
        return written;
      }
      const start = offset + grown;
      values.push({ start, end: start + value.length, from: offset, to: offset + written.length });
      grown += value.length - written.length;
      return value;
    },
  );

  const originOf = (offset: number): number => {
    const before = values.findLast(({ start }) => start <= offset);
    if (before === undefined) return offset;
    return offset < before.end ? before.from : before.to + offset - before.end;
  };
  return { text: replaced, missing, originOf };
}

/** @param inner what stands between the braces. */
function lookUp(inner: string, env: Environment): { readonly name: string; readonly value?: string } {
  const split = inner.indexOf(':=');
  // A blank before `:=` belongs to the name, as in the reference: such a variable is never set.
  const name = split < 0 ? inner : inner.slice(0, split);
  const value = env[name] ?? (split < 0 ? undefined : inner.slice(split + 2).trim());
  return value === undefined ? { name } : { name, value };
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
