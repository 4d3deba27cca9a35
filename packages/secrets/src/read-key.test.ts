import { expect, test } from 'vitest';
import { readKey } from './read-key.ts';
import { parseReference } from './secret-reference.ts';

test.for([
  ['$env://KEY', 'text', 'text'],
  ['$env://KEY', '', ''],
  ['$env://KEY/a', '{"a":"text"}', 'text'],
  ['$secret://vault/1/db/a', { a: 'text', b: 1 }, 'text'],
] as const)('%s of %j is %j', ([written, secret, text]) => {
  expect(readKey(secret, parseReference(written))).toBe(text);
});

test.for([
  ['$env://KEY/a', 'hidden', 'SECRET_INVALID', 'expected JSON, since it names a key, found other text'],
  ['$env://KEY/a', '["hidden"]', 'SECRET_INVALID', 'expected a JSON object, found an array'],
  [
    '$env://KEY/a',
    '{"b":"hidden","c":1}',
    'SECRET_NOT_FOUND',
    'expected the key "a", found the keys "b", "c"',
  ],
  ['$env://KEY/a', '{}', 'SECRET_NOT_FOUND', 'expected the key "a", found no keys'],
  ['$env://KEY/toString', '{}', 'SECRET_NOT_FOUND', 'expected the key "toString", found no keys'],
  ['$secret://vault/1/db/a', { a: { hidden: 1 } }, 'SECRET_INVALID', 'expected a text, found an object'],
  ['$secret://vault/1/db/a', { a: null }, 'SECRET_INVALID', 'expected a text, found null'],
  [
    '$secret://vault/1/db',
    { a: 'hidden' },
    'SECRET_REFERENCE_INVALID',
    'expected a key at the end, found a secret with the keys "a"',
  ],
] as const)('%s of %j fails without showing it', ([written, secret, code, reason]) => {
  const reading = (): string => readKey(secret, parseReference(written));

  expect(reading).toThrow(expect.objectContaining({ code, message: `"${written}": ${reason}` }));
  expect(reading).toThrow(expect.not.objectContaining({ cause: expect.anything() }));
});
