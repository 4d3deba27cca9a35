import type { JsonSchema } from '../validate/json-schema.ts';
import { MOST_KEEPALIVE_SECONDS } from '../validate/limits.ts';
import { checkUpstream } from './check-upstream.ts';
import type { ClientCertificate } from './client-certificate.ts';
import { commonFields, hostSchema, idSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import { healthChecksSchema } from './health-checks.ts';
import type { HealthChecks } from './health-checks.ts';
import { nodesSchema } from './nodes.ts';
import type { NodesField } from './nodes.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** An upstream that has been checked: on its own, or within a stream route or service. */
export interface UpstreamDocument extends Document, CommonFields {
  /** Absent exactly when `service_name` and `discovery_type` are there. `normaliseNodes` gives them in one form. */
  readonly nodes?: NodesField;
  readonly service_name?: string;
  readonly discovery_type?: string;
  readonly discovery_args?: Readonly<Record<string, unknown>>;
  /** The balancer's name. */
  readonly type: string;
  readonly hash_on: 'vars' | 'header' | 'cookie' | 'consumer' | 'vars_combinations';
  readonly key?: string;
  readonly checks?: HealthChecks;
  /** Further attempts after the first. Absent: one for every other node; 0: none. */
  readonly retries?: number;
  /** Seconds; 0 or absent: no limit. */
  readonly retry_timeout?: number;
  readonly timeout?: UpstreamTimeout;
  /** Ours: seconds after which a session is ended in order. Absent: it may stay. */
  readonly max_session_age?: number;
  /** Ours: by which part of it, from 0 to 1, the age of a session may be shorter, at random. Absent: 0.1. */
  readonly session_age_jitter?: number;
  /** Ours: seconds of silence after which the system asks a node whether it is still there. Absent: it does not ask. */
  readonly tcp_keepalive?: number;
  /** Ours: addresses of this machine to connect from, of each family in turn. Absent: the system chooses. */
  readonly source_address?: readonly string[];
  /** Ours: sessions that each node has at a time, over all workers. Absent: no limit. */
  readonly node_max_connections?: number;
  /** Ours: where sessions wait while every node is full. Absent: they are closed. */
  readonly queue?: UpstreamQueue;
  readonly scheme: 'grpc' | 'grpcs' | 'http' | 'https' | 'tcp' | 'tls' | 'udp' | 'kafka';
  readonly tls?: ClientCertificate & { readonly client_cert_id?: string | number; readonly verify: boolean };
  readonly pass_host: 'pass' | 'node' | 'rewrite';
  readonly upstream_host?: string;
}

/** Seconds, all above 0. */
export interface UpstreamTimeout {
  readonly connect: number;
  readonly send: number;
  readonly read: number;
}

/** Of each worker. */
export interface UpstreamQueue {
  /** Sessions that wait at a time. */
  readonly length: number;
  /** Seconds, > 0. */
  readonly timeout: number;
}

const positive: JsonSchema = { type: 'number', exclusiveMinimum: 0 };

/** Seconds, as far as Linux goes. */
const keepAliveSchema: JsonSchema = { type: 'integer', minimum: 1, maximum: MOST_KEEPALIVE_SECONDS };

export const timeoutSchema: JsonSchema = {
  type: 'object',
  properties: { connect: positive, send: positive, read: positive },
  required: ['connect', 'send', 'read'],
};

const tls: JsonSchema = {
  type: 'object',
  properties: {
    client_cert: { type: 'string', minLength: 128, maxLength: 65_536 },
    client_key: { type: 'string', minLength: 64, maxLength: 65_536 },
    client_cert_id: idSchema,
    verify: { type: 'boolean', default: false },
  },
  dependencies: {
    client_cert: { required: ['client_key'], not: { required: ['client_cert_id'] } },
    client_key: { required: ['client_cert'], not: { required: ['client_cert_id'] } },
    client_cert_id: { not: { required: ['client_cert', 'client_key'] } },
  },
};

export const upstreamSchema: JsonSchema = {
  type: 'object',
  properties: {
    ...commonFields,
    nodes: nodesSchema,
    service_name: { type: 'string', minLength: 1, maxLength: 256 },
    discovery_type: { type: 'string' },
    discovery_args: {
      type: 'object',
      properties: { namespace_id: { type: 'string' }, group_name: { type: 'string' } },
    },
    type: { type: 'string', default: 'roundrobin' },
    hash_on: {
      type: 'string',
      enum: ['vars', 'header', 'cookie', 'consumer', 'vars_combinations'],
      default: 'vars',
    },
    key: { type: 'string' },
    checks: healthChecksSchema,
    retries: { type: 'integer', minimum: 0 },
    retry_timeout: { type: 'number', minimum: 0 },
    timeout: timeoutSchema,
    max_session_age: { type: 'number', exclusiveMinimum: 0, maximum: 31_536_000 },
    session_age_jitter: { type: 'number', minimum: 0, maximum: 1 },
    tcp_keepalive: keepAliveSchema,
    source_address: {
      type: 'array',
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      items: { type: 'string' },
    },
    node_max_connections: { type: 'integer', minimum: 1, maximum: 1_000_000_000 },
    queue: {
      type: 'object',
      properties: {
        length: { type: 'integer', minimum: 1, maximum: 1_000_000 },
        timeout: { type: 'number', exclusiveMinimum: 0, maximum: 86_400, default: 10 },
      },
      required: ['length'],
      additionalProperties: false,
    },
    scheme: {
      type: 'string',
      enum: ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'udp', 'kafka'],
      default: 'http',
    },
    tls,
    keepalive_pool: {
      type: 'object',
      properties: {
        size: { type: 'integer', minimum: 1, default: 320 },
        idle_timeout: { type: 'number', minimum: 0, default: 60 },
        requests: { type: 'integer', minimum: 1, default: 1000 },
      },
    },
    pass_host: { type: 'string', enum: ['pass', 'node', 'rewrite'], default: 'pass' },
    upstream_host: hostSchema,
  },
  oneOf: [{ required: ['nodes'] }, { required: ['service_name', 'discovery_type'] }],
  dependencies: { queue: ['node_max_connections'], session_age_jitter: ['max_session_age'] },
  additionalProperties: false,
};

export const upstreamKind: ResourceKind<UpstreamDocument> = {
  name: 'upstream',
  segment: 'upstreams',
  word: 'upstream',
  schema: upstreamSchema,
  references: { 'tls.client_cert_id': 'ssls' },
  privateKeys: ['tls.client_key'],
  check(upstream, context) {
    const message = checkUpstream(upstream, context);
    return message === undefined ? { ok: true, document: upstream } : { ok: false, message };
  },
};
