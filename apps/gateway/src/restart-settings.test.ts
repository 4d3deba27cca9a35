import { settingsFrom } from '@apisix-ts/config';
import type { Settings, SettingsInput } from '@apisix-ts/config';
import { describe, expect, test } from 'vitest';
import { keepForm, pendingSettings } from './restart-settings.ts';

const yaml: SettingsInput = { deployment: { role_traditional: { config_provider: 'yaml' } } };
const api = settingsFrom(yaml);
const embedded = settingsFrom({});
const control = settingsFrom({
  deployment: { role: 'control_plane', role_control_plane: { config_provider: 'etcd' } },
});

/** With the Admin API off, rules come from a file. */
function fileOf(settings: Settings): Settings {
  return {
    ...settings,
    apisix: { ...settings.apisix, enable_admin: false },
    deployment: { ...settings.deployment, rules: 'file' },
  };
}

describe('what waits for a restart', () => {
  test.for([
    ['nothing when nothing changed', embedded, embedded, []],
    ['the role, and the provider that comes with it', embedded, control, formKeys('role', 'config_provider')],
    ['the provider', embedded, api, formKeys('config_provider')],
    ['enable_admin where it decides between a file and the API', api, fileOf(api), ['apisix.enable_admin']],
    [
      'nothing for enable_admin where resources are in a store',
      embedded,
      settingsFrom({ apisix: { enable_admin: false } }),
      [],
    ],
    [
      'the settings of the store in use',
      embedded,
      settingsFrom({ deployment: { embedded: { path: 'x' } } }),
      ['deployment.embedded'],
    ],
    [
      'none of a store that is not in use',
      api,
      settingsFrom({ deployment: { ...yaml.deployment, embedded: { path: 'x' } } }),
      [],
    ],
  ] as const)('%s', ([, before, after, pending]) => {
    expect(pendingSettings(before, after)).toEqual(pending);
  });
});

describe('a running gateway', () => {
  test('keeps its form and takes the rest', () => {
    const wanted = settingsFrom({ apisix: { enable_control: false }, deployment: control.deployment });

    const { apisix, deployment } = keepForm(embedded, wanted);

    expect([apisix.enable_control, apisix.enable_admin]).toEqual([false, true]);
    expect(deployment).toMatchObject({ role: 'traditional', config_provider: 'embedded', rules: 'store' });
  });

  test('keeps its Admin API on where turning it off would mean a file', () => {
    expect(keepForm(api, fileOf(api)).apisix.enable_admin).toBe(true);
  });

  test('turns it off where resources stay in the store', () => {
    const wanted = settingsFrom({ apisix: { enable_admin: false } });

    expect(keepForm(embedded, wanted)).toBe(wanted);
  });
});

function formKeys(...names: readonly string[]): readonly string[] {
  return names.map((name) => `deployment.${name}`);
}
