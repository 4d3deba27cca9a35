import type { WireError } from '@apisix-ts/core';

/** What the system answers once the peer has sent RST: to a read or the next write, and to later writes. */
const resets: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

export function wireError(errno: string): WireError {
  return { kind: resets.has(errno) ? 'reset' : 'failed', errno };
}
