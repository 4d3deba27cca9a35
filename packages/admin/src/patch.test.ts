import { isDeepStrictEqual } from 'node:util';
import type { Document } from '@apisix-ts/config';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isObject, mergePatch, replaceAt } from './patch.ts';

/** Few names, so that documents and patches meet; among them those that plain objects inherit. */
const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', 'toString');

/** JSON values, with null only inside arrays unless `withNull`. */
function json(withNull: boolean): { object: fc.Arbitrary<Document>; value: fc.Arbitrary<unknown> } {
  const scalar = fc.oneof(fc.integer(), fc.string(), fc.boolean());
  const list = fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 3 });
  const made = fc.letrec<{ value: unknown; object: Document }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      withNull ? fc.oneof(scalar, fc.constant(null)) : scalar,
      list,
      tie('object'),
    ),
    object: fc
      .array(fc.tuple(name, tie('value')), { maxLength: 4 })
      .map((members) => Object.fromEntries(members)),
  }));
  return made;
}

const document = json(false).object;
const patch = json(true).object;

describe('merging a patch', () => {
  test.for([
    ['adds a member', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    ['replaces a value', { a: 1 }, { a: 'x' }, { a: 'x' }],
    ['merges objects', { a: { b: 1, c: 2 } }, { a: { c: 3, d: 4 } }, { a: { b: 1, c: 3, d: 4 } }],
    ['removes with null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ['removes inside', { a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
    ['ignores null for what is not there', { a: 1 }, { b: null }, { a: 1 }],
    ['replaces an array', { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ['replaces an object by an array', { a: { b: 1 } }, { a: [] }, { a: [] }],
    ['replaces an array by an object', { a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['changes nothing in an object for an empty one', { a: { b: 1 } }, { a: {} }, { a: { b: 1 } }],
    ['takes no null over into a new object', { a: 1 }, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    ['keeps null inside an array', {}, { a: [null] }, { a: [null] }],
  ] as const)('%s', ([_claim, stored, change, merged]) => {
    expect(mergePatch(stored, change)).toEqual(merged);
  });

  test('reaches every document from every other', () => {
    fc.assert(
      fc.property(document, document, (from, to) => {
        const merged = mergePatch(from, difference(from, to));

        expect(isDeepStrictEqual(merged, to), JSON.stringify(merged)).toBe(true);
      }),
    );
  });

  test('is the same twice as once', () => {
    fc.assert(
      fc.property(document, patch, (stored, change) => {
        const once = mergePatch(stored, change);

        expect(isDeepStrictEqual(mergePatch(once, change), once)).toBe(true);
      }),
    );
  });

  test('keeps what the patch does not name, and leaves both as they were', () => {
    fc.assert(
      fc.property(document, patch, (stored, change) => {
        const before = JSON.stringify([stored, change]);

        const merged = new Map(Object.entries(mergePatch(stored, change)));

        expect(JSON.stringify([stored, change])).toBe(before);
        for (const [member, value] of Object.entries(stored)) {
          if (!Object.hasOwn(change, member)) expect(merged.get(member)).toBe(value);
        }
      }),
    );
  });
});

describe('replacing a member', () => {
  test.for([
    ['at the top', { a: 1, b: 2 }, ['a'], { x: 1 }, { a: { x: 1 }, b: 2 }],
    ['inside', { a: { b: 1, c: 2 } }, ['a', 'b'], null, { a: { b: null, c: 2 } }],
    ['makes objects on the way', {}, ['a', 'b', 'c'], 1, { a: { b: { c: 1 } } }],
    ['does not go through text', { a: 'x' }, ['a', 'b'], 1, undefined],
    ['does not go through an array', { a: [1] }, ['a', '0'], 1, undefined],
    ['does not go through null', { a: null }, ['a', 'b'], 1, undefined],
  ] as const)('%s', ([_claim, stored, path, value, replaced]) => {
    expect(replaceAt(stored, path, value)).toEqual(replaced);
  });

  test('puts the value there, and changes nothing else', () => {
    fc.assert(
      fc.property(
        document,
        fc.array(name, { minLength: 1, maxLength: 4 }),
        json(true).value,
        (stored, path, value) => {
          const before = JSON.stringify(stored);

          const replaced = replaceAt(stored, path, value);

          expect(JSON.stringify(stored)).toBe(before);
          if (replaced === undefined) return;
          expect(isDeepStrictEqual(valueAt(replaced, path), value)).toBe(true);
          const [first = ''] = path;
          for (const [member, kept] of Object.entries(stored)) {
            if (member !== first) expect(new Map(Object.entries(replaced)).get(member)).toBe(kept);
          }
        },
      ),
    );
  });
});

function difference(from: Document, to: Document): Document {
  const [before, after] = [new Map(Object.entries(from)), new Map(Object.entries(to))];
  const removed = [...before.keys()].filter((member) => !after.has(member)).map((member) => [member, null]);
  const set = [...after].map(([member, value]) => {
    const old = before.get(member);
    return [member, isObject(old) && isObject(value) ? difference(old, value) : value];
  });
  return Object.fromEntries([...removed, ...set]);
}

function valueAt(root: Document, path: readonly string[]): unknown {
  let value: unknown = root;
  for (const step of path) value = isObject(value) ? new Map(Object.entries(value)).get(step) : undefined;
  return value;
}
