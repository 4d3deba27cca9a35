import { isIP } from 'node:net';
import { sessionStates } from './session-facts.ts';
import type { SessionFilter, SessionState } from './session-facts.ts';

/** Sessions in an answer. More are a long message between threads; a filter finds the ones that are wanted. */
const LIMIT = 1000;
const MOST_SESSIONS = 10_000;

const texts = ['listener', 'route', 'service', 'upstream', 'node', 'sni'] as const;
const filterNames = [...texts, 'client', 'protocol', 'state', 'id', 'older_than'] as const;

/** What the arguments of a request about sessions ask for. */
export interface SessionQuery {
  readonly filter: SessionFilter;
  /** Default 1000. */
  readonly limit: number;
  /** `all=true`: every session is really meant. */
  readonly isAll: boolean;
}

/**
 * Reads the arguments of `/v1/connections`.
 * @param more names that are known beside the filters.
 * @returns a sentence about what is wrong, if something is.
 */
export function readSessionQuery(
  query: Readonly<Record<string, unknown>>,
  more: readonly ('limit' | 'all')[],
): SessionQuery | string {
  const names: readonly string[] = [...filterNames, ...more];
  const unknown = Object.keys(query).find((name) => !names.includes(name));
  if (unknown !== undefined) return `unknown argument ${unknown}: expected ${names.join(', ')}`;
  const odd = Object.entries(query).find(([, value]) => typeof value !== 'string' || value === '');
  if (odd !== undefined) return `expected one text as ${odd[0]}, found ${odd[1] === '' ? 'none' : 'several'}`;
  // What is left are texts.
  const given = query as Readonly<Record<string, string>>;
  const { client, protocol, state, id, older_than: olderThan, limit, all } = given;

  if (client !== undefined && !isAddressOrBlock(client)) {
    return `expected an ip address or CIDR block as client, found ${client}`;
  }
  if (protocol !== undefined && protocol !== 'tcp' && protocol !== 'udp') {
    return `expected tcp or udp as protocol, found ${protocol}`;
  }
  if (state !== undefined && !isState(state)) {
    return `expected one of ${sessionStates.join(', ')} as state, found ${state}`;
  }
  if (id !== undefined && !/^\d+-\d+$/.test(id)) {
    return `expected an id as it is listed, such as 0-17, found ${id}`;
  }
  if (olderThan !== undefined && !/^\d{1,9}(\.\d+)?$/.test(olderThan)) {
    return `expected seconds as older_than, found ${olderThan}`;
  }
  if (limit !== undefined && (!/^\d{1,9}$/.test(limit) || Number(limit) > MOST_SESSIONS)) {
    return `expected a number from 0 to ${MOST_SESSIONS} as limit, found ${limit}`;
  }
  if (all !== undefined && all !== 'true') return `expected true as all, found ${all}`;
  return {
    filter: {
      ...Object.fromEntries(
        texts.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
      ),
      ...(client === undefined ? {} : { client }),
      ...(protocol === undefined ? {} : { protocol }),
      ...(state === undefined ? {} : { state }),
      ...(id === undefined ? {} : { id }),
      ...(olderThan === undefined ? {} : { olderThanMs: Number(olderThan) * 1000 }),
    },
    limit: limit === undefined ? LIMIT : Number(limit),
    isAll: all !== undefined,
  };
}

function isState(text: string): text is SessionState {
  return sessionStates.some((state) => state === text);
}

function isAddressOrBlock(text: string): boolean {
  const [address = '', length, ...rest] = text.split('/');
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128));
}
