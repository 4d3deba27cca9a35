import { isAddressOrRange } from './address.ts';

const comparisons: ReadonlySet<unknown> = new Set([
  '==',
  '~=',
  '>',
  '>=',
  '<',
  '<=',
  '~~',
  '~*',
  'in',
  'has',
  'ipmatch',
]);
const combinations: ReadonlySet<string> = new Set(['AND', 'OR', '!AND', '!OR']);

/**
 * Is it an expression over variables, as `vars` of a route and `_meta.filter` of a plugin have it: a list of conditions
 * that all have to hold, or `["OR", condition, condition, …]`? A condition is `[variable, operator, value]`,
 * `[variable, "!", operator, value]`, `[variable, value]`, or such a combination again. Nothing always holds.
 * @returns what is wrong, in the words of APISIX's expression library; undefined for nothing.
 */
export function varsFault(vars: readonly unknown[]): string | undefined {
  return isCombination(vars) ? combinationFault(vars) : firstFault(vars);
}

function firstFault(conditions: readonly unknown[]): string | undefined {
  for (const condition of conditions) {
    const fault = conditionFault(condition);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function conditionFault(condition: unknown): string | undefined {
  if (!Array.isArray(condition)) return 'rule should be wrapped inside brackets';
  return isCombination(condition) ? combinationFault(condition) : comparisonFault(condition);
}

function isCombination([first]: readonly unknown[]): boolean {
  return typeof first === 'string' && combinations.has(first.toUpperCase());
}

function combinationFault([, ...conditions]: readonly unknown[]): string | undefined {
  return conditions.length < 2 ? 'rule too short' : firstFault(conditions);
}

function comparisonFault(comparison: readonly unknown[]): string | undefined {
  if (comparison.length < 2) return 'rule too short';
  const [variable, ...rest] = comparison;
  if (typeof variable !== 'string' || rest.length > 3) return 'invalid expression';
  if (rest.length === 1) return undefined;
  if (rest.length === 3 && rest[0] !== '!') return "bad 'not' expression";
  const [operator, value] = rest.slice(-2);
  if (!comparisons.has(operator)) {
    return `invalid operator '${typeof operator === 'string' ? operator : JSON.stringify(operator)}'`;
  }
  return operator === 'ipmatch' && !isAddressList(value) ? 'invalid ip address' : undefined;
}

function isAddressList(value: unknown): boolean {
  const addresses: readonly unknown[] = Array.isArray(value) ? value : [value];
  return addresses.every((address) => typeof address === 'string' && isAddressOrRange(address));
}
