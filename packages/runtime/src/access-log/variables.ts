import { hostname } from 'node:os';
import { codes } from '@apisix-ts/errors';
import { isoTime, localTime, logSeconds } from './log-text.ts';
import type { SessionReason } from '../data-plane/session-reason.ts';
import type { SessionRecord } from './session-record.ts';

/** The value of a variable; undefined when a session has none. */
export type Variable = (record: SessionRecord) => string | number | undefined;

const machine = hostname();

/** The variables of the access log by name, as nginx and APISIX have them; `session_reason` is ours. */
export const variables: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['remote_addr', ({ remoteAddress }) => remoteAddress],
  ['remote_port', ({ remotePort }) => remotePort],
  ['realip_remote_addr', ({ peerAddress }) => peerAddress],
  ['realip_remote_port', ({ peerPort }) => peerPort],
  ['server_addr', ({ serverAddress }) => serverAddress],
  ['server_port', ({ serverPort }) => serverPort],
  ['stream_listen_addr', ({ listener }) => listener],
  ['ssl_preread_server_name', ({ serverName }) => serverName],
  ['protocol', ({ protocol }) => protocol],
  ['status', ({ reason }) => statusOf(reason)],
  ['session_reason', ({ reason }) => reason],
  ['bytes_received', ({ bytesReceived }) => bytesReceived],
  ['bytes_sent', ({ bytesSent }) => bytesSent],
  ['session_time', ({ durationMs }) => logSeconds(durationMs)],
  ['connection', ({ connection }) => connection],
  ['route_id', ({ routeId }) => routeId],
  ['service_id', ({ serviceId }) => serviceId],
  ['balancer_ip', ({ node }) => node?.address],
  ['balancer_port', ({ node }) => node?.port],
  ['upstream_addr', ({ upstreams }) => (upstreams.length === 0 ? undefined : upstreams.join(', '))],
  ['upstream_connect_time', ({ upstream }) => upstream && logSeconds(upstream.connectMs)],
  ['upstream_session_time', ({ upstream }) => upstream && logSeconds(upstream.sessionMs)],
  ['upstream_bytes_received', ({ upstream }) => upstream?.bytesReceived],
  ['upstream_bytes_sent', ({ upstream }) => upstream?.bytesSent],
  ['hostname', () => machine],
  ['pid', () => process.pid],
  ['msec', ({ endedAt }) => logSeconds(endedAt)],
  ['time_iso8601', ({ endedAt }) => isoTime(new Date(endedAt))],
  ['time_local', ({ endedAt }) => localTime(new Date(endedAt))],
]);

/** 200 for a session that ended as it should, otherwise the status of the error. */
function statusOf(reason: SessionReason): number {
  return reason === 'OK' ? 200 : codes[reason].status;
}
