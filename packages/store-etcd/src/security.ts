import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { GatewayError } from '@apisix-ts/errors';
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ChannelOptions, VerifyOptions } from '@grpc/grpc-js';
import type { EtcdTlsOptions } from './etcd-options.ts';

/** The PEM files of `EtcdTlsOptions`, read. */
export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** What a channel to one host is made of. */
export interface ChannelSettings {
  /** `host:port`, as grpc-js wants it. */
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

const DEFAULT_PORT = '2379';

/** @throws GatewayError `SETTINGS_FILE_UNREADABLE`, `SETTINGS_INVALID`. */
export function readTlsFiles({ caFile, certFile, keyFile }: EtcdTlsOptions): TlsFiles {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new GatewayError(
      'SETTINGS_INVALID',
      'deployment.etcd.tls needs both cert and key, or neither, and has only one of them',
    );
  }
  return {
    ...(caFile !== undefined && { ca: read(caFile) }),
    ...(certFile !== undefined && { cert: read(certFile) }),
    ...(keyFile !== undefined && { key: read(keyFile) }),
  };
}

/** @throws GatewayError `SETTINGS_INVALID`. */
export function channelSettings(url: string, tls: EtcdTlsOptions, files: TlsFiles): ChannelSettings {
  // Not `new URL`: it drops a port that is the scheme's default, and etcd's default is another one.
  const parts = /^(?<scheme>https?):\/\/(?<host>\[[^\]]+\]|[^:/]+)(?::(?<port>\d+))?\/?$/.exec(url)?.groups;
  if (parts === undefined) {
    throw new GatewayError(
      'SETTINGS_INVALID',
      `expected http://host:port or https://host:port in deployment.etcd.host, found ${url}`,
    );
  }
  const target = `${parts['host']}:${parts['port'] ?? DEFAULT_PORT}`;
  if (parts['scheme'] === 'http')
    return { target, credentials: credentials.createInsecure(), options: common };

  const host = parts['host']?.replace(/^\[|\]$/g, '') ?? '';
  const { ca = null, key = null, cert = null } = files;
  const verification: VerifyOptions = {
    rejectUnauthorized: tls.verify,
    checkServerIdentity: (_, certificate) => checkServerIdentity(tls.serverName ?? host, certificate),
  };
  // An address may not be sent as a name (RFC 6066 section 3), grpc-js would, and Node refuses that: any name will do.
  const name = tls.serverName ?? (isIP(host) === 0 ? undefined : 'etcd.invalid');
  return {
    target,
    credentials: credentials.createSsl(ca, key, cert, verification),
    options: { ...common, ...(name !== undefined && { 'grpc.ssl_target_name_override': name }) },
  };
}

const common: ChannelOptions = {
  // A page or a change may be larger than grpc-js's 4 MB; etcd bounds what can be written.
  'grpc.max_receive_message_length': -1,
  // grpc-js may otherwise send a write a second time.
  'grpc.enable_retries': 0,
  // Each store has its own connections, so closing one disturbs nobody.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
};

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new GatewayError(
      'SETTINGS_FILE_UNREADABLE',
      `cannot read ${file}, which the settings of etcd name`,
      { cause },
    );
  }
}
