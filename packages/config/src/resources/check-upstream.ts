import { isIP } from 'node:net';
import { compileSchema } from '../validate/compile-schema.ts';
import type { JsonSchema } from '../validate/json-schema.ts';
import { checkClientCertificate } from './client-certificate.ts';
import { checkNodes } from './nodes.ts';
import { checkProbe } from './probe-bytes.ts';
import type { CheckContext } from './resource-kind.ts';
import type { UpstreamDocument } from './upstream.ts';

/** What the schema cannot say about an upstream, wherever it stands. */
export function checkUpstream(upstream: UpstreamDocument, context: CheckContext): string | undefined {
  return (
    (upstream.nodes && checkNodes(upstream.nodes)) ??
    checkHost(upstream) ??
    checkSources(upstream) ??
    (upstream.tls && checkClientCertificate(upstream.tls)) ??
    (upstream.checks && checkProbe(upstream.checks.active)) ??
    checkBalancer(upstream, context) ??
    checkHashKey(upstream)
  );
}

function checkHost({ pass_host, upstream_host }: UpstreamDocument): string | undefined {
  return pass_host === 'rewrite' && upstream_host === undefined
    ? "`upstream_host` can't be empty when `pass_host` is `rewrite`"
    : undefined;
}

function checkSources({ source_address: sources = [] }: UpstreamDocument): string | undefined {
  const wrong = sources.find((source) => isIP(source) === 0 || source.includes('%'));
  return wrong === undefined ? undefined : `invalid source_address: ${wrong}, expected an ip address`;
}

function checkBalancer(
  { type }: UpstreamDocument,
  { balancers, isStored }: CheckContext,
): string | undefined {
  if (isStored === true || balancers.has(type)) return undefined;
  return `unknown balancer type [${type}], available are: ${[...balancers].sort().join(', ')}`;
}

const variable: JsonSchema = {
  type: 'string',
  pattern:
    '^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id)' +
    '|arg_[0-9a-zA-z_-]+)$',
};
const headerOrCookie: JsonSchema = { type: 'string', pattern: '^[a-zA-Z0-9-_]+$' };
const keySchemas: Partial<Record<UpstreamDocument['hash_on'], JsonSchema>> = {
  vars: variable,
  header: headerOrCookie,
  cookie: headerOrCookie,
};

function checkHashKey({ type, hash_on, key }: UpstreamDocument): string | undefined {
  if (type !== 'chash') return undefined;
  if (key === undefined) return hash_on === 'consumer' ? undefined : 'missing key';
  const schema = keySchemas[hash_on];
  const result = schema && compileSchema(schema)(key);
  return result?.ok === false ? `invalid configuration: ${result.message}` : undefined;
}
