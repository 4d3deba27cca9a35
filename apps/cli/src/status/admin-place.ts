import { readFileSync } from 'node:fs';
import type { Settings } from '@apisix-ts/config';
import { reachableHost } from '../reachable-host.ts';
import type { StatusReport } from './status-report.ts';

/** Where the Admin API is, and the key that the gateway made for it; null when it is off. */
export async function adminPlace(
  settings: Settings,
  home: string,
): Promise<NonNullable<StatusReport['admin_api']> | null> {
  if (!settings.apisix.enable_admin) return null;
  const { https_admin: isTls, admin_listen } = settings.deployment.admin;
  const url = `${isTls === true ? 'https' : 'http'}://${reachableHost(admin_listen.ip)}:${admin_listen.port}/apisix/admin`;
  // Loaded when needed: the package brings the whole gateway along.
  const { adminKeyPath, usesMadeKey } = await import('@apisix-ts/gateway');
  if (!usesMadeKey(settings)) return { url };
  const key_file = adminKeyPath(home);
  const key = readKey(key_file);
  return { url, key_file, ...(key === undefined ? {} : { key }) };
}

function readKey(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    // It belongs to another user, or is not made yet: its path says where to look.
    if (error instanceof Error && 'errno' in error) return undefined;
    throw error;
  }
}
