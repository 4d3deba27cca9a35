import { isDeepStrictEqual } from 'node:util';
import { createMemoryStore, protoKind, secretKind } from '@apisix-ts/config';
import type { MemoryStore } from '@apisix-ts/config';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Endpoints } from '../endpoints.ts';
import { createConfigsEndpoints } from './configs-endpoints.ts';

interface Item {
  readonly id: string;
  readonly content: string;
  readonly modifiedIndex?: number;
}

/** What one PUT says about protos, and the number that names its digest. */
interface Put {
  readonly digest: number;
  readonly version?: number;
  readonly protos?: readonly Item[];
}

const small = fc.integer({ min: 0, max: 4 });
const item = fc.record(
  { id: fc.constantFrom('a', 'b', 'c'), content: fc.constantFrom('x', 'y', ''), modifiedIndex: small },
  { requiredKeys: ['id', 'content'] },
);
const puts: fc.Arbitrary<readonly Put[]> = fc.array(
  fc.record(
    { digest: small, version: small, protos: fc.array(item, { maxLength: 3 }) },
    { requiredKeys: ['digest'] },
  ),
  { maxLength: 12 },
);

test('any sequence of PUTs leaves what the rules of versions say, and each is one change at most', async () => {
  await fc.assert(
    fc.asyncProperty(puts, async (sequence) => {
      const store = createMemoryStore();
      const endpoints = endpointsOf(store);
      let model: Model = { digest: undefined, version: 0, items: new Map() };

      for (const put of sequence) {
        const { status, next } = expected(model, put);
        const before = await contentOf(store);

        const answered = await send(endpoints, put);

        const after = await contentOf(store);
        expect(answered).toBe(status);
        expect(after.values).toEqual(new Map([...next.items].map(([id, { content }]) => [id, content])));
        const isChanged = !isDeepStrictEqual(before.values, after.values);
        expect(after.revision - before.revision).toBe(isChanged ? 1 : 0);
        model = next;
      }
    }),
  );
});

interface Model {
  readonly digest: number | undefined;
  readonly version: number;
  readonly items: ReadonlyMap<string, { readonly content: string; readonly index: number }>;
}

/** The table of decisions, read from top to bottom. */
function expected(model: Model, { digest, version, protos = [] }: Put): { status: number; next: Model } {
  if (digest === model.digest) return { status: 204, next: model };
  if (protos.some(({ content }) => content === '')) return { status: 400, next: model };
  if (new Set(protos.map(({ id }) => id)).size < protos.length) return { status: 400, next: model };
  if (version !== undefined && version < model.version) return { status: 400, next: model };
  if (version === model.version) return { status: 202, next: { ...model, digest } };
  const now = version ?? model.version + 1;
  const items = protos.map(({ id, content, modifiedIndex = now }, index) => {
    const former = model.items.get(id);
    const isSame = protos[index]?.modifiedIndex !== undefined && former?.index === modifiedIndex;
    return [id, isSame ? former : { content, index: modifiedIndex }] as const;
  });
  return { status: 202, next: { digest, version: now, items: new Map(items) } };
}

function endpointsOf(store: MemoryStore): Endpoints {
  return createConfigsEndpoints({
    kinds: [secretKind, protoKind],
    checkContext: { plugins: new Map(), streamPlugins: new Map(), balancers: new Set() },
    replaceAll: (values) => store.replaceAll(values),
    now: () => 0,
  });
}

async function send(endpoints: Endpoints, { digest, version, protos }: Put): Promise<number> {
  const body = JSON.stringify({ protos, protos_conf_version: version });
  const put = endpoints.find('PUT', ['configs']);
  const answer = await put?.(
    {
      method: 'PUT',
      target: '/apisix/admin/configs',
      remoteAddress: '127.0.0.1',
      identified: () => {},
      header: (name) => (name === 'x-digest' ? `d${digest}` : undefined),
      readBody: async () => ({ bytes: Buffer.from(body) }),
    },
    new URLSearchParams(),
  );
  return answer?.status ?? 0;
}

async function contentOf(
  store: MemoryStore,
): Promise<{ readonly revision: number; readonly values: ReadonlyMap<string, string> }> {
  const { revision, entries } = await store.load(new AbortController().signal);
  const values = entries.map(({ key, value }) => {
    const document: { content: string } = JSON.parse(value);
    return [key.replace('protos/', ''), document.content] as const;
  });
  return { revision, values: new Map(values) };
}
