import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isReference } from '../validate/text-keyword.ts';

/** A certificate and key with which the gateway shows itself to an upstream. */
export interface ClientCertificate {
  readonly client_cert?: string;
  /** PEM, or the form in which APISIX encrypts it at rest. */
  readonly client_key?: string;
}

/** Can both be read? References to a secret, and keys that are encrypted at rest, are looked at when they are used. */
export function checkClientCertificate({ client_cert, client_key }: ClientCertificate): string | undefined {
  if (client_cert !== undefined && !isReference(client_cert)) {
    const reason = failure(() => new X509Certificate(client_cert));
    if (reason !== undefined) return `failed to parse cert: ${reason}`;
  }
  if (client_key?.startsWith('---') === true) {
    const reason = failure(() => createPrivateKey(client_key));
    if (reason !== undefined) return `failed to parse key: ${reason}`;
  }
  return undefined;
}

function failure(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
