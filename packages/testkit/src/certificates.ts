import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface TestCertificateOptions {
  /** DNS names and ip addresses it is for, the first one also as common name; wildcards are names, too. */
  readonly names: readonly string[];
  /** As openssl takes it, `/C=DE/CN=name`. Default: the first of the names is the common name. */
  readonly subject?: string;
  /** Who signs it. Default: itself. */
  readonly ca?: TestCertificate;
  /** Default `ec` (P-256), made in a few milliseconds; `rsa` (2048 bits) takes a tenth of a second. */
  readonly algorithm?: 'rsa' | 'ec';
  /** `server` (the default) and `client` are ends of a chain; `ca` may sign others. */
  readonly use?: 'server' | 'client' | 'ca';
  /** Days from now until it expires. Default 30. */
  readonly days?: number;
}

/** PEM, both. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const keyUses = {
  server: ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth'],
  client: ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=clientAuth'],
  ca: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'],
} as const;
const keyArgs = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-newkey', 'rsa:2048'],
} as const;

/** A certificate and its key, made by the openssl command. */
export async function makeCertificate(options: TestCertificateOptions): Promise<TestCertificate> {
  const { names, ca, algorithm = 'ec', use = 'server', days = 30 } = options;
  const { subject: subjectText = `/CN=${names[0] ?? ''}` } = options;
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  const file = (name: string): string => join(folder, name);
  try {
    const signer = ca === undefined ? [] : ['-CA', file('ca.pem'), '-CAkey', file('ca.key')];
    if (ca !== undefined) {
      await Promise.all([writeFile(file('ca.pem'), ca.cert), writeFile(file('ca.key'), ca.key)]);
    }
    const extensions = [`subjectAltName=${names.map(alternativeName).join(',')}`, ...keyUses[use]];
    const subject = ['-utf8', '-subj', subjectText, '-days', String(days)];
    const files = ['-keyout', file('key'), '-out', file('cert')];
    const added = extensions.flatMap((extension) => ['-addext', extension]);
    await openssl([
      'req',
      '-x509',
      '-noenc',
      ...subject,
      ...keyArgs[algorithm],
      ...signer,
      ...files,
      ...added,
    ]);
    const [cert, key] = await Promise.all([readFile(file('cert'), 'utf8'), readFile(file('key'), 'utf8')]);
    return { cert, key };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function alternativeName(name: string): string {
  return /^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`;
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('openssl', args);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error('These tests make certificates with openssl and found none: apt-get install openssl', {
        cause: error,
      });
    }
    throw error;
  }
}
