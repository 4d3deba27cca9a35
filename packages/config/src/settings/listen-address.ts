/** An address to listen on, or several: one for every port from `first` to `last`. */
export interface ListenRange {
  readonly host: string;
  readonly first: number;
  readonly last: number;
}

/** A path of the local file system, `unix:/path`. */
export interface ListenPath {
  readonly path: string;
}

/**
 * Reads an entry of `stream_proxy`: `9100`, `"9100"`, `"9100-9105"`, `"127.0.0.1:9100"`, `"[::1]:9100-9105"`, `"unix:/p"`.
 * A bare port means all IPv4 addresses.
 * @returns what is wrong, in APISIX's words, as text.
 */
export function readListenAddress(entry: unknown): ListenRange | ListenPath | string {
  if (typeof entry === 'number') {
    if (!Number.isInteger(entry)) return `port must be an integer, got: ${entry}`;
    return outOfRange(entry) ?? { host: anyHost, first: entry, last: entry };
  }
  if (typeof entry !== 'string') return `invalid port value type: ${typeof entry}`;
  if (entry.startsWith('unix:')) return { path: entry.slice('unix:'.length) };

  const [, bracketed, plain, ports] = /^(?:(?:\[([\da-fA-F:.]+)\]|([^:[\]]*)):)?([^:]*)$/.exec(entry) ?? [];
  if (ports === undefined)
    return `${/^\[[^\]]*\]$/.test(entry) ? 'missing port' : 'invalid port format'}: ${entry}`;
  if (ports === '') return `missing port: ${entry}`;

  const [, start, end = start] = /^(\d+)(?:-(\d+))?$/.exec(ports) ?? [];
  if (start === undefined || plain === '') return `invalid port format: ${entry}`;
  const first = Number(start);
  const last = Number(end);
  const host = bracketed ?? (plain === '*' ? anyHost : (plain ?? anyHost));
  if (first > last)
    return outOfRange(first) ?? outOfRange(last) ?? `invalid port range (start > end): ${entry}`;
  return outOfRange(first) ?? outOfRange(last) ?? { host, first, last };
}

const anyHost = '0.0.0.0';

function outOfRange(port: number): string | undefined {
  return port >= 1 && port <= 65_535 ? undefined : `port out of range (1-65535): ${port}`;
}
