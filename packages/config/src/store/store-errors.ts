import { GatewayError } from '@apisix-ts/errors';
import type { Revision } from './store.ts';

/** The key was written, created or removed by someone else in the meantime. `found` 0: there is none. */
export function storeConflict(key: string, expected: Revision, found: Revision): GatewayError {
  const was = (revision: Revision): string => (revision === 0 ? 'absent' : `at revision ${revision}`);
  return new GatewayError(
    'STORE_CONFLICT',
    `The key ${key} was expected to be ${was(expected)} and is ${was(found)}; nothing was written.`,
    { detail: { key, expected, found } },
  );
}

/** `oldest` is the first revision a watch can still start from. */
export function storeCompacted(since: Revision, oldest: Revision): GatewayError {
  return new GatewayError(
    'STORE_COMPACTED',
    `The changes after revision ${since} are gone: the history begins after revision ${oldest}.`,
    { detail: { since, oldest } },
  );
}

export function storeRewound(since: Revision, found: Revision): GatewayError {
  return new GatewayError(
    'STORE_REWOUND',
    `The changes after revision ${since} were asked for, and the store is at revision ${found}: it was wiped or restored.`,
    { detail: { since, found } },
  );
}
