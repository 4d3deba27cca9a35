import { parseExpression } from '@apisix-ts/expression';
import { isAddressOrRange } from './address.ts';

/**
 * Is it an expression over variables, as `vars` of a route and `_meta.filter` of a plugin have it? `parseExpression`
 * says what that is.
 * @returns what is wrong, in the words of APISIX's expression library where it has any; undefined for nothing.
 */
export function varsFault(vars: readonly unknown[]): string | undefined {
  const parsed = parseExpression(vars, (texts) => (texts.every(isAddressOrRange) ? () => false : undefined));
  return 'fault' in parsed ? parsed.fault : undefined;
}
