import { splitTemplate } from '@apisix-ts/core';
import type { HashFacts } from '../facts/facts.ts';
import type { VariableSource } from '../variables/variable-source.ts';
import { compileVariable } from '../variables/variables.ts';

/** The value of a session's key; undefined when it has none. */
type HashKey = (session: VariableSource) => string | undefined;

/**
 * How sessions of an upstream are hashed: `hash_on: vars` takes the variable named by `key`, `vars_combinations` a text
 * with `$name` and `${name}` in it. Headers, cookies and consumers do not exist on this layer. Where there is no value,
 * the client's address is hashed, as in the reference.
 */
export function compileHashKey(hash: HashFacts | undefined): (session: VariableSource) => string {
  const find = hash && findKey(hash);
  return (session) => find?.(session) ?? session.remoteAddress;
}

function findKey({ on, key }: HashFacts): HashKey | undefined {
  if (key === undefined) return undefined;
  if (on === 'vars') return textOf(key);
  return on === 'vars_combinations' ? compileTemplate(key) : undefined;
}

/** A variable that does not exist is empty; a text in which none exists is no key. */
function compileTemplate(template: string): HashKey {
  const parts = splitTemplate(template).map((part) =>
    typeof part === 'string' ? part : textOf(part.variable),
  );
  return (session) => {
    let hasValue = false;
    let text = '';
    for (const part of parts) {
      const value = typeof part === 'string' ? part : part(session);
      if (typeof part !== 'string' && value !== undefined) hasValue = true;
      text += value ?? '';
    }
    return hasValue ? text : undefined;
  };
}

function textOf(name: string): HashKey {
  const read = compileVariable(name);
  return (session) => read(session)?.toString();
}
