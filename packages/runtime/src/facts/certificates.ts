import { openPrivateKeys, sslKind, upstreamKind } from '@apisix-ts/config';
import type { Document, SslDocument, UpstreamDocument } from '@apisix-ts/config';
import type { CertificateFacts, KeyPairFacts, UpstreamTlsFacts } from './facts.ts';

/** What came of a document: facts, or why there are none. */
export type Compiled<T> =
  | { readonly facts: T; readonly fault?: undefined }
  | { readonly facts?: undefined; readonly fault: string };

/** A certificate for clients. @param keyring opens private keys; empty: they are stored as they are. */
export function compileCertificate(ssl: SslDocument, keyring: readonly string[]): Compiled<CertificateFacts> {
  const opened = open(ssl, keyring);
  if (opened.fault !== undefined) return opened;
  const { sni, snis = [], client, ssl_protocols: versions } = ssl;
  return {
    facts: {
      serverNames: [...(sni === undefined ? [] : [sni]), ...snis],
      pairs: opened.facts,
      ...(client === undefined ? {} : { client: { ca: client.ca, depth: client.depth } }),
      ...(versions === undefined ? {} : { versions }),
    },
  };
}

/** The first pair of a certificate that is shown to upstreams. */
export function compileClientPair(ssl: SslDocument, keyring: readonly string[]): Compiled<KeyPairFacts> {
  const opened = open(ssl, keyring);
  if (opened.fault !== undefined) return opened;
  const [pair] = opened.facts;
  return pair === undefined ? { fault: 'it has no certificate' } : { facts: pair };
}

/**
 * How to speak TLS to an upstream.
 * @param clientPairOf the certificate of an ssl of type `client`.
 */
export function compileUpstreamTls(
  upstream: UpstreamDocument,
  clientPairOf: (id: string) => KeyPairFacts | undefined,
  keyring: readonly string[],
): Compiled<UpstreamTlsFacts> {
  const { tls } = upstream;
  const verify = tls?.verify ?? false;
  if (tls?.client_cert_id !== undefined) {
    const id = String(tls.client_cert_id);
    const clientPair = clientPairOf(id);
    if (clientPair === undefined) return { fault: `there is no usable ssl "${id}" of type client` };
    return { facts: { verify, clientPair } };
  }
  if (tls?.client_cert === undefined) return { facts: { verify } };
  const opened = openPrivateKeys(upstreamKind, upstream, keyring)?.['tls'];
  const key = isDocument(opened) ? opened['client_key'] : undefined;
  const fault = typeof key === 'string' ? pemFault([tls.client_cert, key]) : CANNOT_OPEN;
  if (fault !== undefined || typeof key !== 'string') return { fault: fault ?? CANNOT_OPEN };
  return { facts: { verify, clientPair: { cert: tls.client_cert, key } } };
}

const CANNOT_OPEN = 'no key of apisix.data_encryption.keyring opens its private key';

function open(ssl: SslDocument, keyring: readonly string[]): Compiled<readonly KeyPairFacts[]> {
  const opened = openPrivateKeys(sslKind, ssl, keyring);
  if (opened === undefined) return { fault: CANNOT_OPEN };
  // Only private keys were replaced, by texts.
  const { cert, key, certs = [], keys = [] } = opened as SslDocument;
  const fault = pemFault([cert, key, ...certs, ...keys]);
  if (fault !== undefined) return { fault };
  const pairs = [{ cert, key }, ...certs.map((each, index) => ({ cert: each, key: keys[index] ?? '' }))];
  return { facts: pairs };
}

/** References to secrets pass every check of a document. */
function pemFault(texts: readonly string[]): string | undefined {
  const reference = texts.find((text) => /^\$(secret|env):\/\//i.test(text));
  return reference && `"${reference}" is a reference to a secret, and those are not resolved yet`;
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
