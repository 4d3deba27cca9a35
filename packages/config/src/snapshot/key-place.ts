/** Which resource a key of the store is of. */
export interface KeyPlace {
  /** The kind's segment. */
  readonly kind: string;
  /** Empty for what is no resource, as the placeholder of a directory. */
  readonly id: string;
}

/**
 * `stream_routes/1` → kind `stream_routes`, id `1`. A resource below another has its kind in the third place:
 * `consumers/jack/credentials/1` → kind `credentials`, id `jack/credentials/1`. A key without a slash is a kind of its
 * own without an id.
 */
export function placeOfKey(key: string): KeyPlace {
  const slash = key.indexOf('/');
  if (slash === -1) return { kind: key, id: '' };
  const id = key.slice(slash + 1);
  const [, inner, last, ...rest] = id.includes('/') ? id.split('/') : [];
  const isBelow = inner !== undefined && last !== undefined && last !== '' && rest.length === 0;
  return { kind: isBelow ? inner : key.slice(0, slash), id };
}
