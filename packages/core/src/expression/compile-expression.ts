import { parseExpression } from '@apisix-ts/expression';
import type { Condition } from '@apisix-ts/expression';
import { AddressSet } from '../address/address-set.ts';
import { parseCidr } from '../address/ip.ts';

/**
 * Compiles an expression over variables, as `vars` and `_meta.filter` have it; `parseExpression` says what it may be.
 * @throws TypeError for one that is none, with what is wrong.
 */
export function compileExpression(vars: readonly unknown[]): Condition {
  const parsed = parseExpression(vars, addressTest);
  if ('fault' in parsed) throw new TypeError(parsed.fault);
  return parsed.holds;
}

/** What is wrong with an expression, in the words of `parseExpression`; undefined for nothing. */
export function expressionFault(vars: readonly unknown[]): string | undefined {
  const parsed = parseExpression(vars, addressTest);
  return 'fault' in parsed ? parsed.fault : undefined;
}

function addressTest(texts: readonly string[]): ((address: string) => boolean) | undefined {
  if (!texts.every((text) => isAddressOrRange(text))) return undefined;
  const addresses = new AddressSet(texts);
  return (address) => addresses.has(address);
}

/** A zone is no part of one in a configuration. */
function isAddressOrRange(text: string): boolean {
  return !text.includes('%') && parseCidr(text) !== undefined;
}
