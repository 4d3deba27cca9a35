/** What config.yaml is merged over. Never changed: every reading merges onto copies. */
export const defaults = {
  apisix: {
    node_listen: [9080],
    enable_admin: true,
    enable_dev_mode: false,
    enable_reuseport: true,
    enable_ipv6: true,
    enable_http2: true,
    enable_server_tokens: true,
    proxy_mode: 'http',
    resolver_timeout: 5,
    enable_resolv_search_opt: true,
    ssl: {
      enable: true,
      listen: [{ port: 9443, enable_http3: false }],
      ssl_trusted_certificate: 'system',
      ssl_protocols: 'TLSv1.2 TLSv1.3',
      ssl_ciphers:
        'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384',
    },
    enable_control: true,
    control: { ip: '127.0.0.1', port: 9090 },
    disable_sync_configuration_during_start: false,
    worker_startup_time_threshold: 60,
    data_encryption: {
      enable_encrypt_fields: true,
      keyring: ['qeddd145sfvddff3', 'edd1c9f0985e76a2'],
    },
    disable_upstream_healthcheck: false,
    lru: { secret: { ttl: 300, neg_ttl: 60 } },
  },
  deployment: {
    role: 'traditional',
    role_traditional: {},
    admin: {
      admin_key_required: true,
      admin_key: [{ name: 'admin', key: '', role: 'admin' }],
      enable_admin_cors: true,
      enable_admin_ui: true,
      allow_admin: ['127.0.0.0/24'],
      admin_listen: { ip: '0.0.0.0', port: 9180 },
      admin_api_version: 'v3',
      enable_access_log: true,
      access_log: 'logs/admin_access.log',
    },
    etcd: {
      host: ['http://127.0.0.1:2379'],
      prefix: '/apisix',
      timeout: 30,
      watch_timeout: 50,
      startup_retry: 2,
      snapshot: { enable: true, path: 'data/etcd-snapshot.jsonl' },
    },
    embedded: { path: 'data/apisix.db' },
  },
  nginx_config: {
    error_log: 'logs/error.log',
    error_log_level: 'warn',
    worker_processes: 'auto',
    enable_cpu_affinity: false,
    worker_rlimit_nofile: 20_480,
    worker_shutdown_timeout: '240s',
    max_pending_timers: 16_384,
    max_running_timers: 4096,
    event: { worker_connections: 10_620 },
    stream: {
      enable_access_log: false,
      access_log: 'logs/access_stream.log',
      access_log_format:
        '$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time',
      access_log_format_escape: 'default',
      half_close: true,
      relay: 'auto',
      udp_sessions: 4096,
      tracing: { enable: false, sample_ratio: 1 },
    },
  },
  plugins: [],
  stream_plugins: ['ip-restriction', 'limit-conn', 'mqtt-proxy', 'syslog', 'traffic-split'],
  plugin_attr: {
    prometheus: {
      export_uri: '/apisix/prometheus/metrics',
      metric_prefix: 'apisix_',
      enable_export_server: true,
      export_addr: { ip: '127.0.0.1', port: 9091 },
      prefer_name: false,
      metrics: { stream_connection_total: { expire: 86_400 }, stream_status: { expire: 86_400 } },
    },
  },
} as const;

/**
 * What it means that a key the gateway reads is absent: its default was removed with null or by an empty map around
 * it. A switch is off then and a list is empty, as in the reference; the rest falls back to what its code uses.
 * The Admin API asks for a key unless it is told not to.
 */
export const whenAbsent: Readonly<Record<string, unknown>> = {
  apisix: {
    node_listen: [],
    enable_admin: false,
    enable_control: false,
    control: defaults.apisix.control,
    proxy_mode: defaults.apisix.proxy_mode,
    enable_reuseport: false,
    enable_dev_mode: false,
    enable_ipv6: false,
    enable_server_tokens: false,
    resolver_timeout: defaults.apisix.resolver_timeout,
    enable_resolv_search_opt: false,
    disable_upstream_healthcheck: false,
    ssl: { ...defaults.apisix.ssl, enable: false, listen: [] },
    lru: defaults.apisix.lru,
  },
  deployment: {
    role: defaults.deployment.role,
    role_traditional: {},
    admin: {
      admin_key_required: true,
      enable_admin_cors: false,
      enable_admin_ui: false,
      admin_listen: defaults.deployment.admin.admin_listen,
      admin_api_version: 'v2',
      enable_access_log: false,
      access_log: defaults.deployment.admin.access_log,
    },
    etcd: {
      ...defaults.deployment.etcd,
      snapshot: { ...defaults.deployment.etcd.snapshot, enable: false },
    },
    embedded: defaults.deployment.embedded,
  },
  nginx_config: { ...defaults.nginx_config, worker_shutdown_timeout: 0 },
  plugins: [],
  stream_plugins: [],
  plugin_attr: {
    prometheus: { ...defaults.plugin_attr.prometheus, enable_export_server: false },
  },
};

/** The address of the status server, once `apisix.status` is there. */
export const statusAddress = { ip: '127.0.0.1', port: 7085 } as const;
