import { execFileSync } from 'node:child_process';

export interface SelfSigned {
  /** PEM. */
  readonly key: string;
  /** PEM; its own authority. */
  readonly cert: string;
}

/** @param subjects as in a certificate's subjectAltName: `DNS:db.test`, `IP:127.0.0.1`. */
export function makeSelfSigned(...subjects: string[]): SelfSigned {
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout -';
  const cert = '-x509 -subj /CN=test -days 2 -out -';
  const pem = execFileSync(
    'openssl',
    ['req', ...`${key} ${cert}`.split(' '), '-addext', `subjectAltName=${subjects.join(',')}`],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const certAt = pem.indexOf('-----BEGIN CERTIFICATE-----');
  return { key: pem.slice(0, certAt), cert: pem.slice(certAt) };
}
