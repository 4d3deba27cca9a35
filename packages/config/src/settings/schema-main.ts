import { addressSchema } from '../resources/fields.ts';
import type { JsonSchema } from '../validate/json-schema.ts';
import { apisixSchema } from './schema-apisix.ts';
import { roleSchema } from './schema-deployment.ts';

const bool: JsonSchema = { type: 'boolean' };
const names: JsonSchema = { type: 'array', items: { type: 'string', description: 'the name of a plugin' } };

const logLevels = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'];

const nginxSchema: JsonSchema = {
  type: 'object',
  properties: {
    worker_processes: {
      anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }],
      description: '"auto" or a whole number, at least 0',
    },
    worker_shutdown_timeout: {
      anyOf: [{ type: 'number', minimum: 0 }, { type: 'string' }],
      description: 'a time such as 240s or 1h 30m',
    },
    error_log: { type: 'string', minLength: 1, description: 'a path' },
    error_log_level: { type: 'string', enum: logLevels },
    event: {
      type: 'object',
      properties: {
        worker_connections: { type: 'integer', minimum: 1, description: 'a whole number, at least 1' },
      },
    },
    envs: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^[^\\x00-\\x1f\\x7f]*$' } },
    stream: {
      type: 'object',
      properties: {
        enable_access_log: bool,
        access_log: { type: 'string', minLength: 1, description: 'a path' },
        access_log_format: { type: 'string' },
        access_log_format_escape: { type: 'string', enum: ['default', 'json'] },
        real_ip_from: { type: 'array', minItems: 1, items: addressSchema },
        half_close: bool,
        relay: { type: 'string', enum: ['auto', 'socket'] },
        udp_sessions: { type: 'integer', minimum: 1, description: 'a number of sessions, at least 1' },
        tracing: {
          type: 'object',
          properties: {
            enable: bool,
            register: { type: 'string', minLength: 1, description: 'a path' },
            sample_ratio: { type: 'number', minimum: 0, maximum: 1, description: 'a number from 0 to 1' },
          },
        },
      },
    },
  },
};

const metricSchema: JsonSchema = {
  type: 'object',
  properties: {
    expire: { type: 'integer', minimum: 0, description: 'a number of seconds, at least 0' },
    extra_labels: { type: 'array', items: { type: 'object' }, description: 'a list of labels' },
  },
};

const prometheusSchema: JsonSchema = {
  type: 'object',
  properties: {
    export_uri: { type: 'string', pattern: '^/', description: 'a path that begins with /' },
    metric_prefix: { type: 'string' },
    enable_export_server: bool,
    export_addr: {
      type: 'object',
      properties: {
        ip: { type: 'string', description: 'an ip address' },
        port: { type: 'integer', minimum: 0, maximum: 65_535, description: 'a port' },
      },
    },
    prefer_name: bool,
    metrics: { type: 'object', additionalProperties: metricSchema },
  },
};

/** Everything but the inside of `deployment:`. Keys it does not name are allowed everywhere. */
export const mainSchema: JsonSchema = {
  type: 'object',
  properties: {
    apisix: apisixSchema,
    deployment: roleSchema,
    discovery: { type: 'object', description: 'a map of discoveries by name' },
    nginx_config: nginxSchema,
    plugins: names,
    stream_plugins: names,
    plugin_attr: { type: 'object', properties: { prometheus: prometheusSchema } },
  },
  required: ['apisix', 'deployment'],
};
