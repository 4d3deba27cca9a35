import { describe, expect, test } from 'vitest';
import { httpListeners, streamListeners } from './listeners.ts';
import { settingsFrom } from './settings-from.ts';

/** The parts that a form is made of; text from a file is not typed. */
function settingsOf(deployment: object, apisix: object = { id: 'x' }, env: Record<string, string> = {}) {
  const input: object = { apisix, deployment };
  return settingsFrom(input, { env });
}

const provided = (role: string, config_provider: string): object => ({
  role,
  [`role_${role}`]: { config_provider },
});

describe('the form of a deployment', () => {
  test.for([
    ['traditional', 'embedded', true, 'store', true],
    ['traditional', 'embedded', false, 'store', false],
    ['traditional', 'etcd', true, 'store', true],
    ['traditional', 'etcd', false, 'store', false],
    ['traditional', 'yaml', true, 'api', true],
    ['traditional', 'yaml', false, 'file', false],
    ['control_plane', 'etcd', true, 'store', true],
    ['control_plane', 'etcd', false, 'store', true],
    ['data_plane', 'etcd', true, 'store', false],
    ['data_plane', 'yaml', true, 'file', false],
    ['data_plane', 'json', true, 'file', false],
  ] as const)('%s with %s and enable_admin %s: rules from %s, Admin API %s', (row) => {
    const [role, config_provider, enable_admin, rules, isAdmin] = row;
    const { apisix, deployment } = settingsOf(provided(role, config_provider), { enable_admin });

    expect(deployment).toMatchObject({ role, config_provider, rules });
    expect(apisix.enable_admin).toBe(isAdmin);
  });

  test('is traditional for a role that was removed', () => {
    expect(settingsOf({ role: null }).deployment).toMatchObject({
      role: 'traditional',
      config_provider: 'embedded',
    });
  });

  test('reads the section of its own role only', () => {
    const deployment = {
      ...provided('data_plane', 'etcd'),
      role_traditional: { config_provider: 'nowhere' },
    };

    expect(settingsOf(deployment).deployment.config_provider).toBe('etcd');
  });
});

test.for([
  ['traditional', 1, 2],
  ['data_plane', 1, 2],
  ['control_plane', 0, 0],
] as const)('the role %s listens on %i stream and %i HTTP addresses', ([role, stream, http]) => {
  const settings = settingsOf(provided(role, 'etcd'), {
    proxy_mode: 'http&stream',
    stream_proxy: { tcp: [9100] },
  });

  expect([streamListeners(settings).length, httpListeners(settings).length]).toEqual([stream, http]);
});

describe('a role is refused', () => {
  test.for([
    ['control_plane', {}, 'property "role_control_plane" is required'],
    ['data_plane', {}, 'property "role_data_plane" is required'],
    ['data_plane', { role_data_plane: { more: 1 } }, 'property "config_provider" is required'],
    ['control_plane', provided('control_plane', 'yaml'), 'matches none of the enum values'],
    ['control_plane', provided('control_plane', 'embedded'), 'embedded belongs to one gateway'],
    ['data_plane', provided('data_plane', 'embedded'), 'it is for the role traditional'],
    ['traditional', provided('traditional', 'json'), 'json is for the role data_plane'],
    ['data_plane', { ...provided('data_plane', 'etcd'), etcd: null }, 'property "etcd" is required'],
  ] as const)('%s with %j', ([role, deployment, message]) => {
    const settings = (): unknown => settingsOf({ role, ...deployment });

    expect(settings).toThrow(`invalid deployment ${role} configuration: `);
    expect(settings).toThrow(message);
  });

  test.for([
    ['that does not exist any more', { role: 'standalone' }, 'there is no role standalone'],
    ['with a library of the reference', provided('data_plane', 'xds'), 'has no xds provider'],
  ] as const)('%s', ([, deployment, message]) => {
    expect(() => settingsOf(deployment)).toThrow(
      expect.objectContaining({ code: 'SETTINGS_UNSUPPORTED', message: expect.stringContaining(message) }),
    );
  });
});

describe('APISIX_STAND_ALONE=true', () => {
  const env = { APISIX_STAND_ALONE: 'true' };

  test.for([
    ['embedded', {}, 'traditional'],
    ['etcd', { etcd: { prefix: '/x' } }, 'traditional'],
    ['etcd', provided('data_plane', 'etcd'), 'data_plane'],
    ['etcd', provided('control_plane', 'etcd'), 'control_plane'],
  ] as const)('refuses %s with %j', ([provider, deployment, role]) => {
    expect(() => settingsOf(deployment, undefined, env)).toThrow(
      `APISIX_STAND_ALONE is set to 'true' but config_provider is '${provider}'. Current role: ${role}`,
    );
  });

  test('takes yaml', () => {
    expect(settingsOf(provided('traditional', 'yaml'), undefined, env).deployment.rules).toBe('api');
  });
});
