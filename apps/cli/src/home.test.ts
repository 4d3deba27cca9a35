import { realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findHome } from './home.ts';
import { createInstallation } from './testing/installation.ts';

test('HOME is what --home says before all else', async () => {
  const { home } = await createInstallation('');

  expect(findHome('/srv/apisix', { APISIX_PREFIX: '/opt/apisix' }, home).path).toBe('/srv/apisix');
});

test('HOME is APISIX_PREFIX before the current folder', async () => {
  const { home } = await createInstallation('');

  expect(findHome(undefined, { APISIX_PREFIX: '/opt/apisix' }, home).path).toBe('/opt/apisix');
});

test('HOME is the current folder when it has conf/config.yaml, also with an empty APISIX_PREFIX', async () => {
  const { home } = await createInstallation('');

  expect(findHome(undefined, { APISIX_PREFIX: '' }, realpathSync(home)).path).toBe(realpathSync(home));
});

test('HOME is the standard place otherwise, and the reason names the folder that was looked at', async () => {
  const { home } = await createInstallation();

  const found = findHome(undefined, {}, home);

  expect(found.path).toBe('/usr/local/apisix');
  expect(found.reason).toContain(home);
});

test('a relative --home hangs off the current folder', () => {
  expect(findHome('gateway', {}, '/srv').path).toBe('/srv/gateway');
});
