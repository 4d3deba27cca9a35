import { GatewayError } from '@apisix-ts/errors';

/**
 * The keyring, once it is certain that its keys can be used.
 * @throws GatewayError `SETTINGS_INVALID` for a key that has neither 16 nor 32 bytes.
 */
export function checkKeyring(keyring: readonly string[]): readonly string[] {
  for (const key of keyring) {
    const bytes = Buffer.byteLength(key);
    if (bytes === 16 || bytes === 32) continue;
    throw new GatewayError(
      'SETTINGS_INVALID',
      `A key of apisix.data_encryption.keyring must have 16 or 32 bytes, found one of ${bytes}.`,
    );
  }
  return keyring;
}
