import type { JsonSchema } from '../validate/json-schema.ts';

const bool: JsonSchema = { type: 'boolean' };
const address: JsonSchema = {
  type: 'object',
  properties: {
    ip: { type: 'string', description: 'an ip address' },
    port: { type: 'integer', minimum: 0, maximum: 65_535, description: 'a port' },
  },
};

const sslProtocols: JsonSchema = { type: 'string', description: 'versions of TLS with blanks between' };
const sslCiphers: JsonSchema = { type: 'string', description: "ciphers in OpenSSL's notation" };

const pause: JsonSchema = { type: 'number', exclusiveMinimum: 0, description: 'seconds, above 0' };

const streamAddress = 'a port, or text such as "9100", "9100-9105", "127.0.0.1:9100", "[::1]:9100"';
const streamPort: readonly JsonSchema[] = [{ type: 'integer' }, { type: 'string' }];

/** `apisix:`, without what only later functions read. A description goes on after "expected". */
export const apisixSchema: JsonSchema = {
  type: 'object',
  description: 'a map of settings',
  properties: {
    node_listen: {
      anyOf: [{ type: 'integer', minimum: 0, maximum: 65_535 }, { type: 'array' }],
      description: 'a port, or a list of ports and of {ip, port}',
    },
    enable_admin: bool,
    enable_control: bool,
    control: address,
    status: address,
    proxy_mode: { type: 'string', enum: ['http', 'stream', 'http&stream'] },
    stream_proxy: {
      type: 'object',
      properties: {
        tcp: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: {
            anyOf: [
              ...streamPort,
              {
                type: 'object',
                properties: {
                  addr: { anyOf: streamPort },
                  tls: bool,
                  proxy_protocol: bool,
                  proxy_protocol_to_upstream: {
                    anyOf: [bool, { type: 'string', enum: ['v1', 'v2'] }],
                    description: 'true, false, "v1" or "v2"',
                  },
                  tls_passthrough: bool,
                  ssl_protocols: sslProtocols,
                  ssl_ciphers: sslCiphers,
                },
                required: ['addr'],
              },
            ],
            description: `${streamAddress}, or {addr, tls, …}`,
          },
        },
        udp: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: { anyOf: streamPort, description: streamAddress },
        },
      },
    },
    proxy_protocol: {
      type: 'object',
      properties: {
        listen_http_port: { type: 'integer' },
        listen_https_port: { type: 'integer' },
        enable_tcp_pp: bool,
        enable_tcp_pp_to_upstream: bool,
      },
    },
    enable_reuseport: bool,
    enable_dev_mode: bool,
    enable_ipv6: bool,
    enable_http2: bool,
    enable_server_tokens: bool,
    dns_resolver: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', description: 'the address of a name server' },
    },
    dns_resolver_valid: { type: 'integer', description: 'whole seconds' },
    resolver_timeout: { type: 'number', minimum: 0, description: 'seconds' },
    enable_resolv_search_opt: bool,
    disable_sync_configuration_during_start: bool,
    disable_upstream_healthcheck: bool,
    data_encryption: {
      type: 'object',
      properties: {
        enable_encrypt_fields: bool,
        keyring: {
          anyOf: [
            { type: 'string', pattern: '^(.{16}|.{32})$' },
            { type: 'array', minItems: 1, items: { type: 'string', pattern: '^(.{16}|.{32})$' } },
          ],
          description: 'keys of 16 or 32 characters',
        },
      },
    },
    ssl: {
      type: 'object',
      properties: {
        enable: bool,
        listen: { type: 'array' },
        ssl_trusted_certificate: { type: 'string', description: '"system" or the path of a PEM file' },
        ssl_protocols: sslProtocols,
        ssl_ciphers: sslCiphers,
        fallback_sni: { type: 'string' },
      },
    },
    lru: {
      type: 'object',
      properties: {
        secret: {
          type: 'object',
          properties: {
            ttl: pause,
            neg_ttl: pause,
            count: { type: 'integer' },
            neg_count: { type: 'integer' },
          },
        },
      },
    },
    id: { type: 'string' },
  },
};
