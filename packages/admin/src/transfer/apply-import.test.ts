import { GatewayError } from '@apisix-ts/errors';
import { describe, expect, test } from 'vitest';
import { applied, documentsIn, imported, planned, storeWith } from '../testing/importing.ts';
import { makeChanges } from './apply-import.ts';

const nodes = { '127.0.0.1:80': 1 };

describe('an import that ends half-way', () => {
  const file = Object.fromEntries(
    Array.from({ length: 10 }, (_, n) => [`upstreams/${n}`, { nodes, id: `${n}` }]),
  );

  test('because somebody else changed a resource meanwhile: theirs stays, and again it finishes', async () => {
    const stored = await storeWith({ 'upstreams/5': { nodes, desc: 'read', id: '5' } });
    const plan = await planned(stored, file);
    await stored.put('upstreams/5', '{"desc":"theirs"}');

    const outcome = await applied(plan, stored, { atOnce: 2 });

    expect(outcome).toMatchObject({ done: 5, total: 10, stoppedBy: { code: 'STORE_CONFLICT' } });
    expect((await documentsIn(stored))['upstreams/5']).toEqual({ desc: 'theirs' });
    const { created, updated, unchanged } = await imported(stored, file);
    expect([created.length, updated.length, unchanged]).toEqual([4, 1, 5]);
  });

  test('because the way to the store is gone', async () => {
    const stored = await storeWith({});
    const gone = new GatewayError('ADMIN_API_UNUSABLE', 'refused');
    let calls = 0;

    const outcome = await applied(await planned(stored, file), stored, {
      atOnce: 4,
      make: async (changes) => {
        calls += 1;
        if (calls === 2) throw gone;
        return makeChanges(changes, { writer: stored });
      },
    });

    expect(outcome).toEqual({ done: 4, total: 10, stoppedBy: gone });
  });

  test('because it was interrupted', async () => {
    const stored = await storeWith({});
    const interrupted = new AbortController();

    const outcome = await applied(await planned(stored, file), stored, {
      atOnce: 3,
      signal: interrupted.signal,
      onProgress: (done) => done >= 6 && interrupted.abort(),
    });

    expect(outcome).toEqual({ done: 6, total: 10, stoppedBy: 'interrupted' });
    expect((await imported(stored, file)).created).toHaveLength(4);
  });

  test('a deletion is only of what was read', async () => {
    const stored = await storeWith({ 'upstreams/5': { nodes, id: '5' } });
    const plan = await planned(stored, {}, { prune: true });
    await stored.put('upstreams/5', '{"desc":"theirs"}');

    expect(await applied(plan, stored)).toMatchObject({ done: 0, stoppedBy: { code: 'STORE_CONFLICT' } });
    expect((await documentsIn(stored))['upstreams/5']).toEqual({ desc: 'theirs' });
  });
});
