import { expect, test } from 'vitest';
import { checkKeyring } from './keyring.ts';

test('keys of 16 and 32 bytes can be used, and none at all', () => {
  expect(checkKeyring(['k'.repeat(16), 'k'.repeat(32)])).toHaveLength(2);
  expect(checkKeyring([])).toEqual([]);
});

test.for(['', 'k'.repeat(24), 'ä'.repeat(16) + 'k'])('a key of another length is refused: %j', (key) => {
  expect(() => checkKeyring(['k'.repeat(16), key])).toThrow(
    expect.objectContaining({ code: 'SETTINGS_INVALID' }),
  );
});
