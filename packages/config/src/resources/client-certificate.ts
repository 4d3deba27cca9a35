import { certificateFault, privateKeyFault } from './key-pair.ts';

/** A certificate and key with which the gateway shows itself to an upstream. */
export interface ClientCertificate {
  readonly client_cert?: string;
  /** PEM, or the form in which APISIX encrypts it at rest. */
  readonly client_key?: string;
}

/** Can both be read? References to a secret, and keys that are encrypted at rest, are looked at when they are used. */
export function checkClientCertificate({ client_cert, client_key }: ClientCertificate): string | undefined {
  const isPem = client_key?.startsWith('---') === true;
  return (
    (client_cert === undefined ? undefined : certificateFault(client_cert)) ??
    (isPem ? privateKeyFault(client_key) : undefined)
  );
}
