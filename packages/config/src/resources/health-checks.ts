import type { JsonSchema } from '../validate/json-schema.ts';
import { hostSchema, portSchema } from './fields.ts';
import { probeBytesSchema, probeExpectationSchema } from './probe-bytes.ts';
import type { ProbeBytes, ProbeExpectation } from './probe-bytes.ts';

/** What the reference has. */
type StreamType = 'http' | 'https' | 'tcp';

/** Reports that turn a node healthy. */
export interface HealthyRules {
  readonly http_statuses: readonly number[];
  readonly successes: number;
}

/** Reports that turn a node unhealthy; 0 ignores that kind of report. */
export interface UnhealthyRules {
  readonly http_statuses: readonly number[];
  readonly http_failures: number;
  readonly tcp_failures: number;
  readonly timeouts: number;
}

/** How often nodes in this state are probed. Seconds; without the object they are not. */
interface ProbeInterval {
  readonly interval: number;
}

export interface ActiveChecks {
  /** `udp` is ours. */
  readonly type: StreamType | 'udp';
  /** Seconds. */
  readonly timeout: number;
  /** Probes under way at once. */
  readonly concurrency: number;
  readonly host?: string;
  /** Absent: each node's own. */
  readonly port?: number;
  /** Ours, as `expect`. Absent: nothing on tcp, an empty datagram on udp. */
  readonly send?: ProbeBytes;
  /** Absent: whatever comes. */
  readonly expect?: ProbeExpectation;
  readonly http_method: string;
  readonly http_path: string;
  readonly http_req_body: string;
  readonly https_verify_certificate: boolean;
  readonly req_headers?: readonly string[];
  readonly healthy?: HealthyRules & ProbeInterval;
  readonly unhealthy?: UnhealthyRules & ProbeInterval;
}

export interface PassiveChecks {
  readonly type: StreamType;
  readonly healthy?: HealthyRules;
  readonly unhealthy?: UnhealthyRules;
}

export interface HealthChecks {
  readonly active: ActiveChecks;
  readonly passive?: PassiveChecks;
  /** What happens to the open sessions of a node that becomes unhealthy. Ours; absent: `keep`. */
  readonly on_unhealthy?: 'keep' | 'close';
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'];
const streamTypes = ['http', 'https', 'tcp'];
const interval: JsonSchema = { type: 'integer', minimum: 1, default: 1 };

const active: JsonSchema = {
  type: 'object',
  properties: {
    type: { type: 'string', enum: [...streamTypes, 'udp'], default: 'http' },
    timeout: { type: 'number', default: 1 },
    concurrency: { type: 'integer', default: 10 },
    host: hostSchema,
    port: portSchema,
    send: probeBytesSchema,
    expect: probeExpectationSchema,
    http_method: { type: 'string', enum: methods, default: 'GET' },
    http_path: { type: 'string', default: '/' },
    http_req_body: { type: 'string', default: '' },
    https_verify_certificate: { type: 'boolean', default: true },
    req_headers: { type: 'array', minItems: 1, items: { type: 'string' } },
    healthy: {
      type: 'object',
      properties: { interval, http_statuses: statuses([200, 302]), successes: count(1, 2) },
    },
    unhealthy: {
      type: 'object',
      properties: {
        interval,
        http_statuses: statuses([429, 404, 500, 501, 502, 503, 504, 505]),
        http_failures: count(1, 5),
        tcp_failures: count(1, 2),
        timeouts: count(1, 3),
      },
    },
  },
};

const passive: JsonSchema = {
  type: 'object',
  properties: {
    type: { type: 'string', enum: streamTypes, default: 'http' },
    healthy: {
      type: 'object',
      properties: {
        http_statuses: statuses([
          200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
        ]),
        successes: count(0, 5),
      },
    },
    unhealthy: {
      type: 'object',
      properties: {
        http_statuses: statuses([429, 500, 503]),
        http_failures: count(0, 5),
        tcp_failures: count(0, 2),
        timeouts: count(0, 7),
      },
    },
  },
};

export const healthChecksSchema: JsonSchema = {
  type: 'object',
  properties: { active, passive, on_unhealthy: { type: 'string', enum: ['keep', 'close'] } },
  anyOf: [{ required: ['active'] }, { required: ['active', 'passive'] }],
};

function statuses(byDefault: readonly number[]): JsonSchema {
  return {
    type: 'array',
    minItems: 1,
    items: { type: 'integer', minimum: 200, maximum: 599 },
    uniqueItems: true,
    default: byDefault,
  };
}

function count(minimum: number, byDefault: number): JsonSchema {
  return { type: 'integer', minimum, maximum: 254, default: byDefault };
}
