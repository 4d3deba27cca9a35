import { hostname } from 'node:os';
import { codes } from '@apisix-ts/errors';
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
  ['session_time', ({ durationMs }) => seconds(durationMs)],
  ['connection', ({ connection }) => connection],
  ['route_id', ({ routeId }) => routeId],
  ['service_id', ({ serviceId }) => serviceId],
  ['balancer_ip', ({ node }) => node?.address],
  ['balancer_port', ({ node }) => node?.port],
  ['upstream_addr', ({ upstreams }) => (upstreams.length === 0 ? undefined : upstreams.join(', '))],
  ['upstream_connect_time', ({ upstream }) => upstream && seconds(upstream.connectMs)],
  ['upstream_session_time', ({ upstream }) => upstream && seconds(upstream.sessionMs)],
  ['upstream_bytes_received', ({ upstream }) => upstream?.bytesReceived],
  ['upstream_bytes_sent', ({ upstream }) => upstream?.bytesSent],
  ['hostname', () => machine],
  ['pid', () => process.pid],
  ['msec', ({ endedAt }) => seconds(endedAt)],
  ['time_iso8601', ({ endedAt }) => isoTime(new Date(endedAt))],
  ['time_local', ({ endedAt }) => localTime(new Date(endedAt))],
]);

/** 200 for a session that ended as it should, otherwise the status of the error. */
function statusOf(reason: SessionReason): number {
  return reason === 'OK' ? 200 : codes[reason].status;
}

/** `0.042`, as nginx writes times. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `23/Nov/2026:03:11:10 +0100` */
function localTime(time: Date): string {
  const date = `${two(time.getDate())}/${months[time.getMonth()]}/${time.getFullYear()}`;
  return `${date}:${clock(time)} ${zone(time)}`;
}

/** `2026-11-23T03:11:10+01:00` */
function isoTime(time: Date): string {
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date}T${clock(time)}${zone(time).replace(/(\d\d)$/, ':$1')}`;
}

function clock(time: Date): string {
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function zone(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
