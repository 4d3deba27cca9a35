import { isUtf8 } from 'node:buffer';
import { createCipheriv, createDecipheriv } from 'node:crypto';

/**
 * Encrypts a text the way APISIX keeps secrets in its store, so that both can read them: AES-CBC with the keyring's
 * first key, which is the initialisation vector too, in base64. The same text gives the same result.
 * @param keyring `apisix.data_encryption.keyring`: keys of 16 (AES-128) or 32 (AES-256) characters. Empty: the text is
 * returned as it is.
 */
export function encryptText(text: string, keyring: readonly string[]): string {
  const [key] = keyring;
  if (key === undefined) return text;
  const { algorithm, secret, vector } = cipherOf(key);
  const cipher = createCipheriv(algorithm, secret, vector);
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64');
}

/** @returns undefined when no key of the keyring opens it. */
export function decryptText(text: string, keyring: readonly string[]): string | undefined {
  const bytes = Buffer.from(text, 'base64');
  for (const key of keyring) {
    const opened = decrypt(bytes, key);
    if (opened !== undefined) return opened;
  }
  return undefined;
}

function decrypt(bytes: Buffer, key: string): string | undefined {
  const { algorithm, secret, vector } = cipherOf(key);
  const decipher = createDecipheriv(algorithm, secret, vector);
  try {
    const opened = Buffer.concat([decipher.update(bytes), decipher.final()]);
    // Of 256 wrong keys one ends in valid padding by chance; what it yields is no text.
    return isUtf8(opened) ? opened.toString('utf8') : undefined;
  } catch {
    // Not encrypted with this key.
    return undefined;
  }
}

function cipherOf(key: string): { algorithm: string; secret: Buffer; vector: Buffer } {
  const secret = Buffer.from(key, 'utf8');
  return { algorithm: `aes-${secret.length * 8}-cbc`, secret, vector: secret.subarray(0, 16) };
}
