import { hostname } from 'node:os';
import { parseIp } from '@apisix-ts/core';
import { isoTime, localTime, logSeconds } from '../access-log/log-text.ts';
import { tlsVariables } from './tls-variables.ts';
import type { VariableSource } from './variable-source.ts';

/** Reads a variable of a session; undefined where it has none. */
export type Variable = (session: VariableSource) => string | number | undefined;

const machine = hostname();

/** By name, as nginx and APISIX have them; `session_reason` is ours. */
const variables: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['remote_addr', ({ remoteAddress }) => remoteAddress],
  ['remote_port', ({ remotePort }) => remotePort],
  ['binary_remote_addr', ({ remoteAddress }) => addressBytes(remoteAddress)],
  ['realip_remote_addr', ({ peerAddress }) => peerAddress],
  ['realip_remote_port', ({ peerPort }) => peerPort],
  ['proxy_protocol_addr', ({ proxied }) => proxied?.source.address],
  ['proxy_protocol_port', ({ proxied }) => proxied?.source.port],
  ['proxy_protocol_server_addr', ({ proxied }) => proxied?.destination.address],
  ['proxy_protocol_server_port', ({ proxied }) => proxied?.destination.port],
  ['server_addr', ({ serverAddress }) => serverAddress],
  ['server_port', ({ serverPort }) => serverPort],
  ['stream_listen_addr', ({ listenerName }) => listenerName],
  ['protocol', ({ transport }) => (transport === 'tcp' ? 'TCP' : 'UDP')],
  ['ssl_preread_server_name', ({ serverName }) => serverName],
  ['ssl_preread_alpn_protocols', ({ alpn }) => alpn?.join(',')],
  ...Object.entries(tlsVariables).map(([name, read]): [string, Variable] => [
    name,
    ({ tls }) => tls && read(tls),
  ]),
  ['connection', ({ number }) => number],
  ['route_id', ({ route }) => route?.id],
  ['route_name', ({ route }) => route?.name],
  ['service_id', ({ route }) => route?.serviceId],
  ['service_name', ({ serviceName }) => serviceName],
  ['bytes_received', ({ bytesReceived }) => bytesReceived],
  ['bytes_sent', ({ bytesSent }) => bytesSent],
  ['session_time', ({ durationMs }) => logSeconds(durationMs)],
  ['status', ({ ending }) => ending?.status],
  ['session_reason', ({ ending }) => ending?.reason],
  ['balancer_ip', ({ attemptedNode }) => attemptedNode?.address],
  ['balancer_port', ({ attemptedNode }) => attemptedNode?.port],
  ['upstream_addr', ({ attempts }) => (attempts.length === 0 ? undefined : attempts.join(', '))],
  ['upstream_connect_time', ({ upstreamTransfer: to }) => to && logSeconds(to.connectMs)],
  ['upstream_session_time', ({ upstreamTransfer: to }) => to && logSeconds(to.sessionMs)],
  ['upstream_bytes_received', ({ upstreamTransfer: to }) => to?.bytesReceived],
  ['upstream_bytes_sent', ({ upstreamTransfer: to }) => to?.bytesSent],
  ['hostname', () => machine],
  ['pid', () => process.pid],
  ['msec', (session) => logSeconds(timeOf(session))],
  ['time_iso8601', (session) => isoTime(new Date(timeOf(session)))],
  ['time_local', (session) => localTime(new Date(timeOf(session)))],
]);

/** The value of a variable by its name; undefined: it has none, or there is no such name. The table goes before what plugins set. */
export function variableOf(session: VariableSource, name: string): string | number | undefined {
  const read = variables.get(name);
  return read === undefined ? session.ownVariables?.get(name) : read(session);
}

/** The same, looked up once for many sessions. Names that are not in the table are those that plugins may have set. */
export function compileVariable(name: string): Variable {
  return variables.get(name) ?? (({ ownVariables }) => ownVariables?.get(name));
}

/** A character for each of its 4 or 16 bytes. */
function addressBytes(address: string): string | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return undefined;
  const hex = ip.bits.toString(16).padStart(ip.family === 4 ? 8 : 32, '0');
  return Buffer.from(hex, 'hex').toString('latin1');
}

/** When it ended, or now. Milliseconds since 1970. */
function timeOf({ ending }: VariableSource): number {
  return ending?.atMs ?? Date.now();
}
