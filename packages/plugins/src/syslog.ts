import type { JsonObject, PluginHandlers, PluginHost, PluginSession, StreamPlugin } from '@apisix-ts/core';
import { Batches } from './logging/batches.ts';
import type { BatchSender } from './logging/batches.ts';
import { DatagramSender } from './logging/datagram-sender.ts';
import { compileLogFormat } from './logging/log-format.ts';
import { Losses } from './logging/losses.ts';
import { StreamSender } from './logging/stream-sender.ts';

/** Counts are of entries, and times seconds where nothing else is said. */
export interface Syslog {
  readonly host: string;
  readonly port: number;
  readonly sock_type: 'tcp' | 'udp';
  readonly tls: boolean;
  /** Of the members of an entry, texts with variables in them. Default: that of the metadata. */
  readonly log_format?: JsonObject;
  /** To connect, and for the server to take a batch. Milliseconds. */
  readonly timeout: number;
  /** A batch with so many bytes goes out. */
  readonly flush_limit: number;
  /** Bytes that may wait. */
  readonly drop_limit: number;
  /** Without effect: a configuration has one connection in each worker. */
  readonly pool_size: number;
  /** For the log. */
  readonly name: string;
  readonly batch_max_size: number;
  readonly buffer_duration: number;
  readonly inactive_timeout: number;
  readonly max_retry_count: number;
  readonly retry_delay: number;
}

export interface SyslogMetadata {
  readonly log_format?: JsonObject;
  readonly max_pending_entries: number;
}

const MAX_PENDING_ENTRIES = 8192;

/** Facility 5 (syslogd) with severity 6 (informational), as in the reference; RFC 5424, version 1. */
const PRIORITY_AND_VERSION = '<46>1';

function count(minimum: number, byDefault: number): JsonObject {
  return { type: 'integer', minimum, default: byDefault };
}

/** Tells a syslog server of sessions that have ended. */
export const syslog: StreamPlugin<Syslog, SyslogMetadata> = {
  name: 'syslog',
  priority: 401,
  version: 0.1,
  schema: {
    type: 'object',
    properties: {
      host: { type: 'string', minLength: 1 },
      port: { type: 'integer', minimum: 1, maximum: 65_535 },
      sock_type: { type: 'string', enum: ['tcp', 'udp'], default: 'tcp' },
      tls: { type: 'boolean', default: false },
      log_format: { type: 'object' },
      timeout: count(1, 3000),
      flush_limit: count(1, 4096),
      drop_limit: { type: 'integer', default: 1_048_576 },
      pool_size: count(5, 5),
      name: { type: 'string', default: 'stream sys logger' },
      batch_max_size: count(1, 1000),
      buffer_duration: count(1, 60),
      inactive_timeout: count(1, 5),
      max_retry_count: count(0, 0),
      retry_delay: count(0, 1),
    },
    required: ['host', 'port'],
  },
  metadataSchema: {
    type: 'object',
    properties: { log_format: { type: 'object' }, max_pending_entries: count(1, MAX_PENDING_ENTRIES) },
  },
  check({ sock_type: type, tls }) {
    return tls && type === 'udp' ? 'property "tls" takes property "sock_type" to be "tcp"' : undefined;
  },
  compile(configuration, host) {
    const format = configuration.log_format ?? host.metadata?.log_format;
    return format === undefined ? withoutFormat(host) : withFormat(format, configuration, host);
  },
};

/** There is no default, as in the reference. The metadata may come after the configurations: sessions come after both. */
function withoutFormat(host: PluginHost<SyslogMetadata>): PluginHandlers {
  let isTold = false;
  return {
    log() {
      if (!isTold) host.log('error', "syslog's log_format is not set", {});
      isTold = true;
    },
  };
}

function withFormat(
  format: JsonObject,
  configuration: Syslog,
  host: PluginHost<SyslogMetadata>,
): PluginHandlers {
  const { name, timeout } = configuration;
  const { metadata, wheel, caFile } = host;
  const server = `${configuration.host}:${configuration.port}`;
  const losses = new Losses(wheel, (entries, reason) => {
    host.log('error', 'log entries are lost', { logger: name, server, entries, reason });
  });
  const batches = new Batches(
    {
      maxEntries: configuration.batch_max_size,
      maxBytes: configuration.flush_limit,
      maxAgeMs: configuration.buffer_duration * 1000,
      maxSilenceMs: configuration.inactive_timeout * 1000,
      pendingEntries: metadata?.max_pending_entries ?? MAX_PENDING_ENTRIES,
      pendingBytes: configuration.drop_limit,
      retries: configuration.max_retry_count,
      retryDelayMs: configuration.retry_delay * 1000,
    },
    openSender(configuration, caFile),
    wheel,
    (entries, reason) => losses.add(entries, reason),
  );
  const members = compileLogFormat(format);
  return {
    log(session) {
      batches.add(toLine(members(session), session));
    },
    async close() {
      await batches.close(timeout);
      losses.flush();
    },
  };
}

function openSender(
  { host, port, sock_type: type, tls, timeout: timeoutMs }: Syslog,
  caFile: string | undefined,
): BatchSender {
  if (type === 'udp') return new DatagramSender({ host, port, timeoutMs });
  return new StreamSender({ host, port, tls: tls ? { caFile } : undefined, timeoutMs });
}

/** RFC 5424, as the reference writes it: without a host name, a message id and structured data. */
function toLine(members: JsonObject, { routeId, serviceId }: PluginSession): string {
  const entry = JSON.stringify({ ...members, route_id: routeId, service_id: serviceId });
  return `${PRIORITY_AND_VERSION} ${new Date().toISOString()} - apisix ${process.pid} - - ${entry}\n`;
}
