import { makeCertificate } from '@apisix-ts/testkit';
import type { ServerTls } from '../tls.ts';

/** TLS for 127.0.0.1 with a certificate that signed itself. */
export async function makeTls(overrides: Partial<ServerTls> = {}): Promise<ServerTls> {
  return {
    ...(await makeCertificate({ names: ['127.0.0.1'] })),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    ...overrides,
  };
}
