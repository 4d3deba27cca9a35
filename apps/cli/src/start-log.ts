import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { GatewayError } from '@apisix-ts/errors';

/** The log that a gateway's output goes to, opened for one start. */
export interface StartLog {
  readonly path: string;
  /** Open for appending; whoever opened it closes it. */
  readonly descriptor: number;
  /** Where this start begins. */
  readonly startBytes: number;
}

/** @throws GatewayError `HOME_UNUSABLE`. */
export function openStartLog(path: string): StartLog {
  try {
    const descriptor = openSync(path, 'a');
    return { path, descriptor, startBytes: fstatSync(descriptor).size };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError('HOME_UNUSABLE', `expected a log that can be written: ${reason}`, { cause });
  }
}

const TAIL_BYTES = 4096;
const TAIL_LINES = 10;

/** What this start left in the log, as far as it helps; reads on after a sentence. */
export function logTail({ path, startBytes }: StartLog): string {
  const descriptor = openSync(path, 'r');
  const position = Math.max(startBytes, fstatSync(descriptor).size - TAIL_BYTES);
  const tail = Buffer.alloc(TAIL_BYTES);
  const bytes = readSync(descriptor, tail, 0, TAIL_BYTES, position);
  closeSync(descriptor);

  const text = tail.toString('utf8', 0, bytes).trimEnd();
  if (text === '') return `; ${path} tells nothing`;
  return `; the end of ${path}:\n${text.split('\n').slice(-TAIL_LINES).join('\n')}\n`;
}
