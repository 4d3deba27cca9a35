import { hostname } from 'node:os';
import type { HashFacts } from '../facts/facts.ts';

/** What a session can be hashed by. Asked for only as far as the key needs it. */
export interface HashSource {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
}

/** The value of a session's key; undefined when it has none. */
export type HashKey = (session: HashSource) => string | undefined;

const machine = hostname();

/** The variables that a TCP session has, by their names in APISIX. */
const variables: Readonly<Record<string, HashKey>> = {
  remote_addr: (session) => session.remoteAddress,
  remote_port: (session) => String(session.remotePort),
  server_addr: (session) => session.serverAddress,
  server_port: (session) => String(session.serverPort),
  hostname: () => machine,
};

/**
 * How sessions of an upstream are hashed: `hash_on: vars` takes the variable named by `key`, `vars_combinations` a text
 * with `$name` and `${name}` in it. Headers, cookies and consumers do not exist on this layer. Where there is no value,
 * the client's address is hashed, as in the reference.
 */
export function compileHashKey(hash: HashFacts | undefined): (session: HashSource) => string {
  const find = hash && findKey(hash);
  return (session) => find?.(session) ?? session.remoteAddress;
}

function findKey({ on, key }: HashFacts): HashKey | undefined {
  if (key === undefined) return undefined;
  if (on === 'vars') return variables[key];
  return on === 'vars_combinations' ? compileTemplate(key) : undefined;
}

/** A variable that does not exist is empty; a text in which none exists is no key. */
function compileTemplate(template: string): HashKey {
  return (session) => {
    let hasValue = false;
    const text = template.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_match, braced?: string, plain?: string) => {
      const value = variables[braced ?? plain ?? '']?.(session);
      if (value !== undefined) hasValue = true;
      return value ?? '';
    });
    return hasValue ? text : undefined;
  };
}
