import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { GatewayError } from '@apisix-ts/errors';
import { certificateFault, keyPairFault, privateKeyFault } from '../resources/key-pair.ts';
import { showPath } from '../source/key-path.ts';
import type { Problem } from '../source/problem.ts';
import type { AdminApiMtlsSettings, Settings } from './settings.ts';

/** What the Admin API needs to speak TLS; all PEM. */
export interface AdminTls {
  readonly cert: string;
  readonly key: string;
  /** Clients must show a certificate that one of these signed. Absent: they need none. */
  readonly clientCa?: string;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** In OpenSSL's notation. */
  readonly ciphers: string;
}

const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
type TlsVersion = (typeof tlsVersions)[number];

/**
 * The certificate files as they are now, and the versions and ciphers of `apisix.ssl`.
 * @param home where `conf/` is, to which the paths are relative.
 * @returns undefined without `https_admin`.
 * @throws GatewayError `SETTINGS_INVALID` for files that cannot be used, all of them told.
 */
export function adminTls(settings: Settings, home: string): AdminTls | undefined {
  const { tls, problems } = readAdminTls(settings, home);
  if (problems.length === 0) return tls;
  const lines = problems.map(({ path, text }) => `${showPath(path)}: ${text}`);
  throw new GatewayError('SETTINGS_INVALID', lines.join('\n'));
}

/** @param home undefined: the files are not looked at. */
export function readAdminTls(
  { apisix, deployment: { admin } }: Settings,
  home: string | undefined,
): { readonly tls?: AdminTls; readonly problems: readonly Problem[] } {
  if (admin.https_admin !== true) return { problems: [] };
  const files = admin.admin_api_mtls ?? {};
  const missing = (['admin_ssl_cert', 'admin_ssl_cert_key'] as const).filter((name) => !files[name]);
  if (missing.length > 0) {
    return {
      problems: missing.map((name) =>
        problem(name, 'missing ssl cert for https admin', 'a path below conf/'),
      ),
    };
  }
  if (home === undefined || !apisix.enable_admin) return { problems: [] };
  return readFiles(files, apisix.ssl, resolve(home, 'conf'));
}

function readFiles(
  files: AdminApiMtlsSettings,
  { ssl_ciphers: ciphers, ssl_protocols: protocols }: Settings['apisix']['ssl'],
  folder: string,
): { readonly tls?: AdminTls; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const read = (name: keyof AdminApiMtlsSettings, fault: (text: string) => string | undefined): string => {
    const path = resolve(folder, files[name] ?? '');
    const { text, wrong } = readFile(path);
    const why = wrong ?? fault(text);
    if (why !== undefined) problems.push(problem(name, `${path}: ${why}`, expected[name]));
    return text;
  };
  const cert = read('admin_ssl_cert', certificateFault);
  const key = read('admin_ssl_cert_key', (text) =>
    problems.length === 0 ? keyPairFault(cert, text) : privateKeyFault(text),
  );
  const clientCa = files.admin_ssl_ca_cert ? read('admin_ssl_ca_cert', authoritiesFault) : undefined;
  const versions = tlsVersions.filter((version) => protocols.split(/\s+/).includes(version));
  const [minVersion, maxVersion] = [versions[0], versions.at(-1)];
  if (minVersion === undefined || maxVersion === undefined) {
    problems.push({
      code: 'SETTINGS_INVALID',
      text: 'no version of TLS in apisix.ssl.ssl_protocols',
      path: ['apisix', 'ssl', 'ssl_protocols'],
      expected: 'some of TLSv1.1 TLSv1.2 TLSv1.3, with blanks between',
    });
    return { problems };
  }
  if (problems.length > 0) return { problems };
  const tls = { cert, key, ...(clientCa === undefined ? {} : { clientCa }), minVersion, maxVersion, ciphers };
  const wrong = contextProblem(tls);
  return wrong === undefined ? { tls, problems } : { problems: [wrong] };
}

const expected: Readonly<Record<keyof AdminApiMtlsSettings, string>> = {
  admin_ssl_cert: 'the path of a certificate in PEM, relative to conf/',
  admin_ssl_cert_key: 'the path of its private key in PEM, relative to conf/',
  admin_ssl_ca_cert: 'the path of certificates of authorities in PEM, relative to conf/',
};

function problem(name: keyof AdminApiMtlsSettings, text: string, wanted: string): Problem {
  return {
    code: 'SETTINGS_INVALID',
    text,
    path: ['deployment', 'admin', 'admin_api_mtls', name],
    expected: wanted,
  };
}

function readFile(path: string): { readonly text: string; readonly wrong?: string } {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return { text: '', wrong: error instanceof Error ? error.message : String(error) };
  }
}

function authoritiesFault(text: string): string | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g);
  if (blocks === null) return 'there is no certificate in it';
  return blocks.map(certificateFault).find((fault) => fault !== undefined);
}

/** What OpenSSL does not like about these together: a key that is too short, ciphers that it does not have. */
function contextProblem(tls: AdminTls): Problem | undefined {
  try {
    createSecureContext(tls);
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const isAboutCiphers =
      error instanceof Error && 'code' in error && error.code === 'ERR_SSL_NO_CIPHER_MATCH';
    if (!isAboutCiphers) return problem('admin_ssl_cert', text, expected.admin_ssl_cert);
    return {
      code: 'SETTINGS_INVALID',
      text,
      path: ['apisix', 'ssl', 'ssl_ciphers'],
      expected: "ciphers in OpenSSL's notation",
    };
  }
}
