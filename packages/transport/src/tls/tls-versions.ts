import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { TlsVersion } from './certificate-store.ts';

const all = ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const exclusions: Readonly<Record<TlsVersion, number>> = {
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
};

/** TLS 1.2 and 1.3: what OpenSSL 3 and nginx offer by themselves. */
export const defaultVersions: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3'];

/**
 * Exactly these versions, gaps included. TLS 1.1 needs ciphers that say so, too: `DEFAULT@SECLEVEL=0`.
 * @param moreOptions of OpenSSL, or-ed in.
 */
export function versionOptions(
  versions: readonly TlsVersion[],
  moreOptions = 0,
): Pick<SecureContextOptions, 'minVersion' | 'maxVersion' | 'secureOptions'> {
  const excluded = all.filter((version) => !versions.includes(version));
  const secureOptions = excluded.reduce((options, version) => options | exclusions[version], moreOptions);
  return { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.3', secureOptions };
}
