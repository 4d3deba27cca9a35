import { codes } from '@apisix-ts/errors';
import type { SessionReason } from '../data-plane/session-reason.ts';

/** The codes that sessions are counted by, as the reference has them. */
const streamCodes = [200, 400, 403, 500, 502, 503] as const;

export type StreamCode = (typeof streamCodes)[number];

const known: ReadonlySet<number> = new Set(streamCodes);

/**
 * The `code` of `stream_status`: there are fewer of them than statuses in the access log.
 * @param pluginStatus what a plugin refused the session with; undefined: none did.
 */
export function streamCodeOf(reason: SessionReason, pluginStatus?: number): StreamCode {
  if (pluginStatus !== undefined) return codeOfRefusal(pluginStatus);
  const status = reason === 'OK' ? 200 : codes[reason].status;
  // One of the table, just looked up.
  if (known.has(status)) return status as StreamCode;
  return status === 504 ? 502 : 500;
}

/** As the reference has it. */
function codeOfRefusal(status: number): StreamCode {
  if (known.has(status) && status !== 200) return status as StreamCode; // one of the table
  return status >= 400 && status < 500 ? 400 : 500;
}
