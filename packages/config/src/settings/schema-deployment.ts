import type { JsonSchema } from '../validate/json-schema.ts';
import type { Role } from './settings.ts';

const bool: JsonSchema = { type: 'boolean' };
const text: JsonSchema = { type: 'string' };
const filePath: JsonSchema = { type: 'string', minLength: 1, description: 'the path of a file' };

/** The part of `deployment:` that the reference checks with everything else, before it looks at the role. */
export const roleSchema: JsonSchema = {
  type: 'object',
  description: 'a map of settings',
  properties: {
    role: { type: 'string', enum: ['traditional', 'control_plane', 'data_plane', 'standalone'] },
  },
};

const common: JsonSchema = {
  admin: {
    type: 'object',
    properties: {
      admin_key_required: bool,
      admin_key: {
        type: 'array',
        items: {
          type: 'object',
          properties: { name: text, key: text, role: { type: 'string', enum: ['admin', 'viewer'] } },
          required: ['name', 'key', 'role'],
        },
      },
      enable_admin_cors: bool,
      enable_admin_ui: bool,
      allow_admin: { type: 'array', items: { type: 'string', description: 'an ip address or CIDR block' } },
      admin_listen: {
        type: 'object',
        properties: {
          ip: { type: 'string', description: 'an ip address' },
          port: { type: 'integer', minimum: 0, maximum: 65_535, description: 'a port' },
        },
      },
      https_admin: bool,
      admin_api_mtls: {
        type: 'object',
        properties: { admin_ssl_cert: text, admin_ssl_cert_key: text, admin_ssl_ca_cert: text },
      },
      admin_api_version: text,
      enable_access_log: bool,
      access_log: { type: 'string', minLength: 1, description: 'the path of a file' },
    },
  },
  etcd: {
    type: 'object',
    properties: {
      host: {
        type: 'array',
        minItems: 1,
        description: 'a list of URLs',
        items: {
          type: 'string',
          pattern: '^https?://',
          description: 'a URL that begins with http:// or https://',
        },
      },
      prefix: { type: 'string', description: 'the prefix of the keys' },
      timeout: { type: 'integer', minimum: 1, description: 'whole seconds, at least 1' },
      watch_timeout: { type: 'number', minimum: 0, description: 'seconds' },
      startup_retry: { type: 'integer', minimum: 1 },
      resync_delay: { type: 'integer', description: 'whole seconds' },
      health_check_timeout: { type: 'integer', description: 'whole seconds' },
      user: text,
      password: text,
      tls: { type: 'object', properties: { cert: text, key: text, verify: bool, sni: text } },
      snapshot: { type: 'object', properties: { enable: bool, path: filePath } },
    },
    required: ['host', 'prefix'],
  },
  embedded: {
    type: 'object',
    properties: { path: filePath },
  },
};

function section(providers: readonly string[], description: string): JsonSchema {
  return {
    type: 'object',
    description: 'a map with config_provider',
    properties: { config_provider: { type: 'string', enum: providers, description } },
  };
}

/** The rest of `deployment:`, by role. `embedded` is ours; `xds` is refused later, with a reason. */
export const deploymentSchemas: Readonly<Record<Role, JsonSchema>> = {
  traditional: {
    type: 'object',
    properties: {
      role_traditional: section(
        ['embedded', 'etcd', 'yaml'],
        'embedded, etcd or yaml (json is for the role data_plane)',
      ),
      ...common,
    },
  },
  control_plane: {
    type: 'object',
    properties: {
      role_control_plane: {
        ...section(
          ['etcd'],
          'etcd, which data planes can read too (embedded belongs to one gateway, of the role traditional)',
        ),
        required: ['config_provider'],
      },
      ...common,
    },
    required: ['role_control_plane'],
  },
  data_plane: {
    type: 'object',
    properties: {
      role_data_plane: {
        ...section(
          ['etcd', 'yaml', 'json', 'xds'],
          'etcd, yaml or json (nobody would write embedded here: it is for the role traditional)',
        ),
        required: ['config_provider'],
      },
      ...common,
    },
    required: ['role_data_plane'],
  },
};
