import { settingsFrom } from '@apisix-ts/config';
import { expect, test } from 'vitest';
import { refuseUpgrade } from './refuse-upgrade.ts';

test('a gateway in the foreground is not upgraded', () => {
  expect(() => refuseUpgrade(settingsFrom({}), true)).toThrow('the gateway runs in the foreground');
});

test('nor is one whose configuration is only in its memory', () => {
  const settings = settingsFrom({
    deployment: { role: 'traditional', role_traditional: { config_provider: 'yaml' } },
  });

  expect(() => refuseUpgrade(settings, false)).toThrow('only in the memory of this process');
});

test('any other is', () => {
  expect(refuseUpgrade(settingsFrom({}), false)).toBeUndefined();
});
