import { isIPv4, isIPv6 } from 'node:net';
import type { FuncKeywordDefinition } from 'ajv';

/** What a schema may ask of a string. Lengths count characters (code points). */
export interface TextRules {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
}

export interface TextFault {
  readonly message: string;
  readonly expected: string;
}

export const textRuleNames = ['minLength', 'maxLength', 'pattern', 'enum', 'format'] as const;

/** `text: TextRules` asks them of every string but references to a secret or the environment. */
export const textKeyword: FuncKeywordDefinition = {
  keyword: 'text',
  type: 'string',
  schemaType: 'object',
  errors: false,
  compile(rules: TextRules) {
    const find = textFaultFinder(rules);
    return (value: string): boolean => find(value) === undefined;
  },
};

/** @returns a function that tells what is wrong with a string, or undefined. */
export function textFaultFinder(rules: TextRules): (text: string) => TextFault | undefined {
  const { minLength = 0, maxLength = Infinity, pattern, format } = rules;
  const expression = pattern === undefined ? undefined : new RegExp(pattern);
  return (text) => {
    if (isReference(text)) return undefined;
    if (text.length < minLength * 2 || text.length > maxLength) {
      const length = countCharacters(text);
      if (length < minLength) return sizeFault('short', 'at least', minLength, length);
      if (length > maxLength) return sizeFault('long', 'at most', maxLength, length);
    }
    if (expression?.test(text) === false) {
      return {
        message: `failed to match pattern ${luaQuote(expression.source)} with ${luaQuote(text)}`,
        expected: `text matching ${expression.source}`,
      };
    }
    if (rules.enum?.includes(text) === false) return enumFault(rules.enum);
    return formatFault(format, text);
  };
}

export function enumFault(values: readonly unknown[]): TextFault {
  const expected = `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
  return { message: 'matches none of the enum values', expected };
}

/** `$secret://…`, and `$env://…` in any case, stand for a value that is known only when it is used. */
export function isReference(text: string): boolean {
  return text.charCodeAt(0) === 36 && /^\$(?:secret|[eE][nN][vV]):\/\//.test(text);
}

function sizeFault(adjective: string, relation: string, limit: number, length: number): TextFault {
  return {
    message: `string too ${adjective}, expected ${relation} ${limit}, got ${length}`,
    expected: `${relation} ${limit} characters`,
  };
}

function formatFault(format: string | undefined, text: string): TextFault | undefined {
  if (format === 'ipv4' && !isIPv4(text)) return addressFault(format, text);
  if (format === 'ipv6' && (!isIPv6(text) || text.includes('%'))) return addressFault(format, text);
  return undefined;
}

function addressFault(format: string, text: string): TextFault {
  return { message: `expect valid ${format} address but got: ${text}`, expected: `an ${format} address` };
}

function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Text as Lua's `%q` shows it: quotes and backslashes get a backslash, so `\S` is shown as `\\S`. */
function luaQuote(text: string): string {
  return `"${text.replaceAll(/["\\\n]/g, String.raw`\$&`)}"`;
}
