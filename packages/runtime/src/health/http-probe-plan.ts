import { Buffer } from 'node:buffer';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isIP } from 'node:net';
import type { ActiveChecks } from '@apisix-ts/config';

/** It sends a request and looks at the status of the answer. */
export interface HttpProbePlan {
  readonly type: 'http' | 'https';
  /** Absent: the node's own. */
  readonly port?: number;
  /** Of the `Host` header and, without its port, of TLS; absent: the node's name. */
  readonly host?: string;
  readonly method: string;
  readonly path: string;
  /** All but `Host`: names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly verifiesCertificate: boolean;
  readonly healthyStatuses: ReadonlySet<number>;
  readonly unhealthyStatuses: ReadonlySet<number>;
}

export interface HttpProbeRules {
  readonly healthyStatuses: readonly number[];
  readonly unhealthyStatuses: readonly number[];
  readonly hostHeader: string | undefined;
}

/** Without a body Node would send these as they are, and others in chunks. */
const bodilessMethods = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);
/** These follow from the probe, whatever `req_headers` say. */
const ownHeaders = new Set(['connection', 'content-length', 'transfer-encoding']);

/** A `Host` among the `req_headers` wins over `rules.hostHeader`, which wins over the `host` of the checks. */
export function compileHttpProbe(
  type: 'http' | 'https',
  active: ActiveChecks,
  rules: HttpProbeRules,
): HttpProbePlan {
  const given = (active.req_headers ?? []).map(splitHeader).filter((header) => header !== undefined);
  const host = given.find(({ name }) => isHost(name))?.value ?? rules.hostHeader ?? active.host;
  const body = active.http_req_body;
  return {
    type,
    ...(active.port === undefined ? {} : { port: active.port }),
    ...(host === undefined ? {} : { host }),
    method: active.http_method,
    path: sendablePath(active.http_path),
    headers: [
      'Connection',
      'close',
      ...given
        .filter(({ name }) => !isHost(name) && !ownHeaders.has(name.toLowerCase()))
        .flatMap(({ name, value }) => [name, value]),
      ...(body === '' && bodilessMethods.has(active.http_method)
        ? []
        : ['Content-Length', String(Buffer.byteLength(body))]),
    ],
    body,
    verifiesCertificate: active.https_verify_certificate,
    healthyStatuses: new Set(rules.healthyStatuses),
    unhealthyStatuses: new Set(rules.unhealthyStatuses),
  };
}

/** The `req_headers` that no request can carry; probes are sent without them. */
export function unsendableHeaders({ req_headers = [] }: ActiveChecks): readonly string[] {
  return req_headers.filter((line) => splitHeader(line) === undefined);
}

/** The `Host` header for a host name or an address. */
export function hostHeaderOf(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** The name or address that a certificate has to be for: a `Host` header without brackets and port. */
export function serverNameOf(host: string): string {
  if (isIP(host) !== 0) return host;
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(host) ?? [];
  return bracketed ?? host.replace(/:\d+$/, '');
}

function isHost(name: string): boolean {
  return name.toLowerCase() === 'host';
}

function splitHeader(line: string): { readonly name: string; readonly value: string } | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0)).trim();
  const value = line.slice(colon + 1).trim();
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    // It is one of the `unsendableHeaders`, which are logged.
    return undefined;
  }
  return { name, value };
}

/** Node sends no spaces, control characters or characters beyond one byte. */
function sendablePath(path: string): string {
  return path.toWellFormed().replaceAll(/[^\u0021-\u007e]+/gu, encodeURIComponent);
}
