import {
  certificateFault,
  isReference,
  keyPairFault,
  openPrivateKeys,
  sslKind,
  upstreamKind,
} from '@apisix-ts/config';
import type { Document, DocumentChange, SslDocument, UpstreamDocument } from '@apisix-ts/config';
import type { CertificateFacts, KeyPairFacts, UpstreamTlsFacts } from './facts.ts';
import type { Compiled, ReadText } from './secret-users.ts';

/**
 * A certificate for clients.
 * @param keyring opens private keys; empty: they are stored as they are.
 * @param read what texts stand for that may be references.
 */
export function compileCertificate(
  ssl: SslDocument,
  keyring: readonly string[],
  read: ReadText,
): Compiled<CertificateFacts> {
  const pairs = readPairs(ssl, keyring, read);
  if (pairs.fault !== undefined) return pairs;
  const client = readAuthority(ssl, read);
  if (client?.fault !== undefined) return client;
  const { sni, snis = [], ssl_protocols: versions } = ssl;
  return {
    facts: {
      serverNames: [...(sni === undefined ? [] : [sni]), ...snis],
      pairs: pairs.facts,
      ...(client === undefined ? {} : { client: client.facts }),
      ...(versions === undefined ? {} : { versions }),
    },
  };
}

/** The pair that is shown to upstreams: the first one. */
export function compileClientPair(
  ssl: SslDocument,
  keyring: readonly string[],
  read: ReadText,
): Compiled<KeyPairFacts> {
  const { certs: _certs, keys: _keys, ...first } = ssl;
  const pairs = readPairs(first, keyring, read);
  if (pairs.fault !== undefined) return pairs;
  const [pair] = pairs.facts;
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
  read: ReadText,
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
  if (typeof key !== 'string') return { fault: CANNOT_OPEN };
  const pair = readPair({ cert: tls.client_cert, key }, read);
  return pair.fault === undefined ? { facts: { verify, clientPair: pair.facts } } : pair;
}

/** The references that a change brings, where they count: in certificates that are used. */
export function referencesOf(
  change: DocumentChange,
  upstream: UpstreamDocument | undefined,
): ReadonlySet<string> {
  // The snapshot only hands out checked documents.
  const ssl = change.kind === 'ssls' ? (change.document as SslDocument | undefined) : undefined;
  return new Set([...textsOfSsl(ssl), ...textsOfUpstream(upstream)].filter(isReference));
}

function textsOfSsl(ssl: SslDocument | undefined): readonly string[] {
  if (ssl?.status !== 1) return [];
  const { type, cert, key, certs = [], keys = [], client } = ssl;
  if (type === 'client') return [cert, key];
  return [cert, key, ...certs, ...keys, ...(client === undefined ? [] : [client.ca])];
}

function textsOfUpstream(upstream: UpstreamDocument | undefined): readonly string[] {
  if (upstream?.scheme !== 'tls' || upstream.tls?.client_cert_id !== undefined) return [];
  const { client_cert: cert, client_key: key } = upstream.tls ?? {};
  return [cert, key].filter((text) => text !== undefined);
}

const CANNOT_OPEN = 'no key of apisix.data_encryption.keyring opens its private key';

function readPairs(
  ssl: SslDocument,
  keyring: readonly string[],
  read: ReadText,
): Compiled<readonly KeyPairFacts[]> {
  const opened = openPrivateKeys(sslKind, ssl, keyring);
  if (opened === undefined) return { fault: CANNOT_OPEN };
  // Only private keys were replaced, by texts.
  const { cert, key, certs = [], keys = [] } = opened as SslDocument;
  const facts: KeyPairFacts[] = [];
  for (const [index, each] of [cert, ...certs].entries()) {
    const pair = readPair({ cert: each, key: [key, ...keys][index] ?? '' }, read);
    if (pair.fault !== undefined) return pair;
    facts.push(pair.facts);
  }
  return { facts };
}

/** Documents were checked without what their references stand for, so that is done here. */
function readPair(written: KeyPairFacts, read: ReadText): Compiled<KeyPairFacts> {
  const [cert, key] = [read(written.cert), read(written.key)];
  if (cert === undefined || key === undefined) return { fault: UNKNOWN };
  const references = [written.cert, written.key].filter(isReference);
  const fault = references.length === 0 ? undefined : keyPairFault(cert, key);
  return fault === undefined ? { facts: { cert, key } } : { fault: `${references.join(' and ')}: ${fault}` };
}

function readAuthority(
  { client }: SslDocument,
  read: ReadText,
): Compiled<NonNullable<CertificateFacts['client']>> | undefined {
  if (client === undefined) return undefined;
  const ca = read(client.ca);
  if (ca === undefined) return { fault: UNKNOWN };
  const fault = isReference(client.ca) ? certificateFault(ca) : undefined;
  return fault === undefined
    ? { facts: { ca, depth: client.depth } }
    : { fault: `${client.ca}: failed to validate client_cert: ${fault}` };
}

const UNKNOWN = 'it is not known what a reference in it stands for';

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
