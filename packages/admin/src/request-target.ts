export interface RequestTarget {
  /** Decoded, without empty ones: `/apisix/admin/routes/` has three. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/**
 * Takes a request target apart the way nginx does: the path is decoded once, repeated slashes count as one, `.` and
 * `..` are resolved.
 * @returns undefined when it cannot be: a broken percent-encoding, a NUL byte, a `..` above the root.
 */
export function parseRequestTarget(target: string): RequestTarget | undefined {
  const [path = '', query = ''] = splitOnce(withoutOrigin(target), '?');
  const decoded = decode(path);
  if (decoded === undefined || decoded.includes('\0')) return undefined;
  const segments: string[] = [];
  for (const segment of decoded.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return { segments, query: new URLSearchParams(query) };
}

/** The path and query for a log: as they were sent, but without the key, however its name is encoded. */
export function loggedTarget(target: string): string {
  const [path = '', query] = splitOnce(withoutOrigin(target), '?');
  if (query === undefined) return path;
  const pairs = query
    .split('&')
    .map((pair) => (new URLSearchParams(pair).has('api_key') ? 'api_key=***' : pair));
  return `${path}?${pairs.join('&')}`;
}

/** A proxy's client may send the whole URL (RFC 9112 section 3.2.2). */
function withoutOrigin(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '');
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    // Not percent-encoded UTF-8: the caller answers that.
    return undefined;
  }
}
