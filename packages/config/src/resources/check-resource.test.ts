import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkResource, resourceKinds } from './index.ts';
import type { CheckContext } from './index.ts';

const context: CheckContext = {
  plugins: new Map([['known', { schema: { type: 'object', required: ['a'] } }]]),
  streamPlugins: new Map(),
  balancers: new Set(['roundrobin']),
};

test.for(resourceKinds)('$word: every JSON value gets an answer, and stays as it is', (kind) => {
  const member = fc.constantFrom(
    ...Object.keys(properties(kind.schema)),
    'nodes',
    'known',
    'active',
    'type',
    '__proto__',
  );
  const value = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(member, fc.oneof(fc.jsonValue(), fc.dictionary(member, fc.jsonValue()))),
  );
  fc.assert(
    fc.property(value, (document) => {
      const before = JSON.stringify(document);
      const result = checkResource(kind, document, context);
      expect(JSON.stringify(document)).toBe(before);
      if (result.ok) expect(checkResource(kind, result.document, context)).toEqual(result);
      else expect(result.message).not.toBe('');
    }),
  );
});

test('a kind names only kinds that come before it', () => {
  const seen = new Set<string>();
  for (const { segment, references } of resourceKinds) {
    for (const named of Object.values(references)) expect(seen).toContain(named);
    seen.add(segment);
  }
});

function properties({ properties: members }: Readonly<Record<string, unknown>>): object {
  return typeof members === 'object' && members !== null ? members : {};
}
