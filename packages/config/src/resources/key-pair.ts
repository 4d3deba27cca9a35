import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isReference } from '../validate/text-keyword.ts';

/** Why a certificate in PEM cannot be read. A reference to a secret is looked at when it is used. */
export function certificateFault(certificate: string): string | undefined {
  return isReference(certificate)
    ? undefined
    : fault('failed to parse cert: ', () => new X509Certificate(certificate));
}

/** Why a private key in PEM cannot be read. A reference to a secret is looked at when it is used. */
export function privateKeyFault(key: string): string | undefined {
  return isReference(key) ? undefined : fault('failed to parse key: ', () => createPrivateKey(key));
}

/** Why a certificate cannot be used with a private key: one of them cannot be read, or they are not a pair. */
export function keyPairFault(certificate: string, key: string): string | undefined {
  const unreadable = certificateFault(certificate) ?? privateKeyFault(key);
  if (unreadable !== undefined || isReference(certificate) || isReference(key)) return unreadable;
  return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
    ? undefined
    : 'the key does not belong to the cert';
}

function fault(words: string, parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    return words + (error instanceof Error ? error.message : String(error));
  }
}
