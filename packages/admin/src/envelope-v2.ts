import { answer } from './answer.ts';
import { shown, shownWrite, statusOf } from './envelope.ts';
import type { Envelope, Write } from './envelope.ts';
import { etagOf } from './if-match.ts';

/** The older answers, with the words of etcd's second API; lists have no arguments. */
export const envelopeV2: Envelope = {
  version: 'v2',
  hasListArguments: false,
  one: (kind, stored) => ({
    ...answer(200, { action: 'get', count: 1, node: shown(kind, stored) }),
    headers: { etag: etagOf(stored) },
  }),
  list(kind, key, total, page) {
    const items = page.map((stored) => shown(kind, stored));
    const before = `{"action":"get","count":${total},"node":{"key":${JSON.stringify(key)},"dir":true,"nodes":[`;
    return { status: 200, body: { before, items, after: ']}}' } };
  },
  written: (kind, write, stored) =>
    answer(statusOf(write), { action: actions[write], node: shownWrite(kind, stored) }),
  deleted: (key) => answer(200, { action: 'delete', deleted: '1', key, node: {} }),
};

const actions: Readonly<Record<Write, string>> = {
  'put-new': 'set',
  put: 'set',
  post: 'create',
  patch: 'compareAndSwap',
};
