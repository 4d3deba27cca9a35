import type { Problem } from '../source/problem.ts';
import type { Settings } from './settings.ts';

/** Is the Admin API closed to strangers? The reference's rules, in its words. */
export function checkAdminKey({ apisix, deployment: { admin } }: Settings): {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
} {
  const warnings: string[] = [];
  if (!admin.admin_key_required) {
    warnings.push(
      'Warning! Admin key is bypassed! If you are deploying APISIX in a production environment, please enable ' +
        '`admin_key_required` and set a secure admin key!',
    );
  }
  // Who may come from this machine only, may come without a key.
  const isLocal = admin.allow_admin?.length === 1 && admin.allow_admin[0] === '127.0.0.0/24';
  if (!apisix.enable_admin || !admin.admin_key_required || isLocal) return { problems: [], warnings };

  const keys = admin.admin_key ?? [];
  if (keys.length === 0) {
    const text = 'ERROR: missing valid Admin API token. Please modify "admin_key" in conf/config.yaml .';
    return {
      problems: [
        {
          code: 'SETTINGS_INVALID',
          text,
          path: ['deployment', 'admin', 'admin_key'],
          expected: 'a list of keys',
        },
      ],
      warnings,
    };
  }
  if (keys.some(({ key }) => key === '')) {
    warnings.push('WARNING: using empty Admin API. A key is made once and kept beside the data.');
  }
  return { problems: [], warnings };
}
