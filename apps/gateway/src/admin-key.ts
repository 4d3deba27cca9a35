import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AdminKey, Settings } from '@apisix-ts/config';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * The keys of the Admin API. An entry of role `admin` with an empty key gets one that is made at the first start and
 * kept in a file that only its owner can read; config.yaml is never rewritten.
 */
export function adminKeys({ deployment }: Settings, home: string): readonly AdminKey[] | undefined {
  const { admin_key: keys, admin_key_required: isRequired } = deployment.admin;
  if (keys === undefined || !isRequired) return keys;
  return keys.map((entry) =>
    entry.key === '' && entry.role === 'admin' ? { ...entry, key: madeKey(adminKeyPath(home)) } : entry,
  );
}

/** Where a made key is kept. */
export function adminKeyPath(home: string): string {
  return join(home, 'data', 'admin.key');
}

/** Is there an entry whose key is made? */
export function usesMadeKey({ deployment }: Settings): boolean {
  const { admin_key: keys, admin_key_required: isRequired } = deployment.admin;
  return isRequired && keys?.some(({ key, role }) => key === '' && role === 'admin') === true;
}

function madeKey(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  const key = Array.from({ length: 32 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  try {
    // `wx` makes the file or fails: of two that start at once, one makes the key.
    writeFileSync(path, `${key}\n`, { mode: 0o600, flag: 'wx' });
    return key;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return readFileSync(path, 'utf8').trim();
  }
}
