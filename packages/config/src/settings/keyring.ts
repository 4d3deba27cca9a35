import { defaults } from './defaults.ts';
import type { Settings } from './settings.ts';

const publicKeys: readonly string[] = defaults.apisix.data_encryption.keyring;

/**
 * Everybody has the keys that are the default, so what they seal is open. Only the Admin API seals anything, and only
 * for a store.
 */
export function warnAboutKeyring({ apisix, deployment }: Settings): readonly string[] {
  const { keyring = [] } = apisix.data_encryption ?? {};
  const [sealing] = typeof keyring === 'string' ? [keyring] : keyring;
  if (!apisix.enable_admin || deployment.rules !== 'store') return [];
  if (sealing === undefined || !publicKeys.includes(sealing)) return [];
  return [
    'Warning! Private keys are encrypted with a key that everybody knows, the default: set ' +
      'apisix.data_encryption.keyring to one of your own before you store any.',
  ];
}
