import type { Document } from '@apisix-ts/config';
import type { KindRules } from './kind-rules.ts';
import { isObject } from './patch.ts';

const names = ['create_time', 'update_time'] as const;

/** What is wrong with a PUT or POST body that sets a time by itself, or undefined. */
export function forbiddenTime(document: Document): string | undefined {
  for (const place of ['', 'upstream', 'plugins']) {
    const holder = place === '' ? document : document[place];
    if (!isObject(holder)) continue;
    const name = names.find((time) => Object.hasOwn(holder, time));
    // Two spaces, as in the reference.
    if (name !== undefined) return `the property is forbidden:  ${place === '' ? name : `${place}.${name}`}`;
  }
  return undefined;
}

export interface Times {
  /** Unix seconds; undefined means now. */
  readonly createTime?: unknown;
  /** Unix seconds; undefined means now. */
  readonly updateTime?: unknown;
}

/** The document as it is stored: the submitted members in their order, then the id, then the times, where it has them. */
export function stamp(
  document: Document,
  id: unknown,
  nowSeconds: number,
  times: Times,
  { isIdStored, hasTimes }: Pick<KindRules, 'isIdStored' | 'hasTimes'> = { isIdStored: true, hasTimes: true },
): Document {
  const { createTime = nowSeconds, updateTime = nowSeconds } = times;
  const { id: _id, ...rest } = document;
  const identified = isIdStored ? { ...rest, id } : rest;
  if (!hasTimes) return identified;
  const { create_time: _created, update_time: _updated, ...submitted } = identified;
  return { ...submitted, create_time: createTime, update_time: updateTime };
}
