import type { JsonSchema } from '../validate/json-schema.ts';
import { commonFields, hostSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { certificateFault, keyPairFault } from './key-pair.ts';
import type { CheckContext, Document, ResourceKind } from './resource-kind.ts';

/** A certificate with its key: shown to clients by their SNI, or to upstreams that name it. */
export interface SslDocument extends Document, Omit<CommonFields, 'name'> {
  /** `server` shows it to clients, `client` to upstreams. */
  readonly type: 'server' | 'client';
  readonly sni?: string;
  readonly snis?: readonly string[];
  /** PEM, with the chain after it, or a reference to a secret. */
  readonly cert: string;
  /** PEM, a reference to a secret, or in the store the encrypted PEM. */
  readonly key: string;
  /** Further certificates, of other key types; `keys` has theirs in the same order. */
  readonly certs?: readonly string[];
  readonly keys?: readonly string[];
  /** How clients have to show who they are. */
  readonly client?: {
    readonly ca: string;
    readonly depth: number;
    readonly skip_mtls_uri_regex?: readonly string[];
  };
  /** 0: not used. */
  readonly status: 0 | 1;
  /** Absent: the listener's. */
  readonly ssl_protocols?: readonly ('TLSv1.1' | 'TLSv1.2' | 'TLSv1.3')[];
}

const certificate: JsonSchema = { type: 'string', minLength: 128, maxLength: 65_536 };
const privateKey: JsonSchema = { type: 'string', minLength: 64, maxLength: 65_536 };
const { name: _name, ...fields } = commonFields;

export const sslKind: ResourceKind<SslDocument> = {
  name: 'ssl',
  segment: 'ssls',
  word: 'ssl',
  schema: {
    type: 'object',
    properties: {
      ...fields,
      type: { type: 'string', enum: ['server', 'client'], default: 'server' },
      sni: hostSchema,
      snis: { type: 'array', items: hostSchema, minItems: 1 },
      cert: certificate,
      key: privateKey,
      certs: { type: 'array', items: certificate },
      keys: { type: 'array', items: privateKey },
      client: {
        type: 'object',
        properties: {
          ca: certificate,
          depth: { type: 'integer', minimum: 0, default: 1 },
          skip_mtls_uri_regex: { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string' } },
        },
        required: ['ca'],
      },
      status: { type: 'integer', enum: [1, 0], default: 1 },
      ssl_protocols: {
        type: 'array',
        maxItems: 3,
        uniqueItems: true,
        items: { type: 'string', enum: ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] },
      },
    },
    if: { properties: { type: { enum: ['server'] } } },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema, not a promise
    then: { oneOf: [{ required: ['sni', 'key', 'cert'] }, { required: ['snis', 'key', 'cert'] }] },
    else: { required: ['key', 'cert'] },
    additionalProperties: false,
  },
  references: {},
  privateKeys: ['key', 'keys'],
  unfit: ({ type }) => (type === 'client' ? undefined : 'wrong ssl type'),
  check(ssl, context) {
    const message = pairFault(ssl.cert, ssl.key, context) ?? furtherFault(ssl, context) ?? clientFault(ssl);
    return message === undefined ? { ok: true, document: ssl } : { ok: false, message };
  },
};

/** A key in the store may be encrypted; then only its certificate can be looked at. */
function pairFault(cert: string, key: string, { isStored }: CheckContext): string | undefined {
  const isSealed = isStored === true && !key.startsWith('---');
  return isSealed ? certificateFault(cert) : keyPairFault(cert, key);
}

function furtherFault({ certs = [], keys = [] }: SslDocument, context: CheckContext): string | undefined {
  if (certs.length !== keys.length) return 'mismatched number of certs and keys';
  for (const [index, cert] of certs.entries()) {
    const message = pairFault(cert, keys[index] ?? '', context);
    if (message !== undefined) return `failed to handle cert-key pair[${index + 1}]: ${message}`;
  }
  return undefined;
}

function clientFault({ client }: SslDocument): string | undefined {
  const message = client && certificateFault(client.ca);
  return message === undefined ? undefined : `failed to validate client_cert: ${message}`;
}
