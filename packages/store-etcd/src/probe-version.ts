import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import type { EtcdTlsOptions } from './etcd-options.ts';
import type { TlsFiles } from './security.ts';

const TIMEOUT_MS = 3_000;

/**
 * The text that etcd answers at `<host>/version`.
 * @throws Error whose message is the reason in the words APISIX has for it: `connection refused`, `timeout`,
 * `certificate verify failed`, `certificate host mismatch`, `bad certificate`; or the system's own words.
 */
export async function probeVersion(host: string, tls: EtcdTlsOptions, files: TlsFiles): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const get = host.startsWith('https:') ? getHttps : getHttp;
  const options = {
    ...files,
    rejectUnauthorized: tls.verify,
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  const request = get(`${withPort(host)}/version`, options, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => (body += text));
    response.on('end', () => resolve(body)).on('error', reject);
  });
  request.on('error', reject);
  try {
    return await promise;
  } catch (error) {
    throw new Error(reason(error), { cause: error });
  }
}

function withPort(host: string): string {
  const bare = host.replace(/\/$/, '');
  return /:\d+$/.test(bare) ? bare : `${bare}:2379`;
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ETIMEDOUT' || code === 'ABORT_ERR') return 'timeout';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'certificate host mismatch';
  if (/ALERT_(BAD_CERTIFICATE|CERTIFICATE_REQUIRED)/.test(code)) return 'bad certificate';
  // The codes of OpenSSL's verification: SELF_SIGNED_CERT_IN_CHAIN, UNABLE_TO_VERIFY_LEAF_SIGNATURE, CERT_HAS_EXPIRED.
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return 'certificate verify failed';
  return error.message;
}
