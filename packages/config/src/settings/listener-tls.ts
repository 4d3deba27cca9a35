import { createSecureContext } from 'node:tls';
import type { KeyPath } from '../source/key-path.ts';
import type { Problem } from '../source/problem.ts';
import type { SslSettings, StreamProxyEntry } from './settings.ts';

const tlsVersions = ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/** What a listener that terminates TLS agrees to. */
export interface ListenerTls {
  /** At least one; an ssl may have others. */
  readonly versions: readonly (typeof tlsVersions)[number][];
  /** In OpenSSL's notation, the first one preferred; those of TLS 1.3 are OpenSSL's own unless they are named. */
  readonly ciphers: string;
}

/**
 * @param entry of `stream_proxy.tcp`; what it leaves out is as `apisix.ssl` says.
 * @param path of the entry.
 */
export function readListenerTls(
  entry: Pick<StreamProxyEntry, 'ssl_protocols' | 'ssl_ciphers'>,
  ssl: SslSettings,
  path: KeyPath,
): { readonly tls: ListenerTls; readonly problems: readonly Problem[] } {
  const { ssl_protocols = ssl.ssl_protocols, ssl_ciphers: ciphers = ssl.ssl_ciphers } = entry;
  const place = (name: 'ssl_protocols' | 'ssl_ciphers'): KeyPath =>
    entry[name] === undefined ? ['apisix', 'ssl', name] : [...path, name];
  const words = new Set(ssl_protocols.split(/\s+/));
  const versions = tlsVersions.filter((version) => words.has(version));
  const problems: Problem[] = [];
  if (versions.length === 0) {
    problems.push({
      code: 'SETTINGS_INVALID',
      text: `no version of TLS that stream listeners have: ${ssl_protocols}`,
      path: place('ssl_protocols'),
      expected: 'some of TLSv1.1 TLSv1.2 TLSv1.3, with blanks between',
    });
  }
  const fault = ciphersFault(ciphers);
  if (fault !== undefined) {
    problems.push({
      code: 'SETTINGS_INVALID',
      text: fault,
      path: place('ssl_ciphers'),
      expected: "ciphers in OpenSSL's notation",
    });
  }
  return { tls: { versions, ciphers }, problems };
}

function ciphersFault(ciphers: string): string | undefined {
  try {
    createSecureContext({ ciphers });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
