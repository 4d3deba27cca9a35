import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { GatewayError } from '@apisix-ts/errors';
import sonicBoom from 'sonic-boom';
import type { SonicBoom } from 'sonic-boom';

/** A file that text is appended to, without waiting for the disk. */
export interface LogFile {
  readonly write: (text: string) => void;
  /**
   * Goes on in the file that now has the path: the former one was moved away.
   * @throws GatewayError `SETTINGS_INVALID` when it cannot be written; then the former one goes on.
   */
  reopen(): void;
  /** Writes what is pending. Idempotent; later text is dropped. */
  close(): void;
}

/**
 * Opens the file, making its folder.
 * @param setting the key path that names it, for the message.
 * @throws GatewayError `SETTINGS_INVALID` when it cannot be written.
 */
export function openLogFile(path: string, setting: string): LogFile {
  let file = open(path, setting);
  let isClosed = false;
  return {
    write: (text) => {
      if (!isClosed) file.write(text);
    },
    reopen() {
      if (isClosed) return;
      const former = file;
      file = open(path, setting);
      // Writes what is pending to the file that was moved, then closes it.
      former.end();
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      file.flushSync();
      file.destroy();
    },
  };
}

function open(path: string, setting: string): SonicBoom {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Opened here, so that what is wrong with the path is known now.
    const file = new sonicBoom.SonicBoom({ fd: openSync(path, 'a'), sync: false });
    // A disk that fills up later must not end the gateway; the lines are lost and the operator sees why.
    file.on('error', (error: Error) => process.stderr.write(`cannot write ${path}: ${error.message}\n`));
    return file;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError(
      'SETTINGS_INVALID',
      `${setting}: expected a file that can be written, found ${path}: ${reason}`,
      { cause },
    );
  }
}
