import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { GatewayError } from '@apisix-ts/errors';
import type { Log } from '@apisix-ts/runtime';
import sonicBoom from 'sonic-boom';
import type { SonicBoom } from 'sonic-boom';

export interface ErrorLog {
  readonly log: Log;
  /** Writes what is pending and closes the file. Idempotent. */
  close(): void;
}

export interface ErrorLogOptions {
  /** Absolute path; its folder is made. */
  readonly path: string;
  /** The least severe level that is written, of nginx's. */
  readonly level: string;
  /** Write every line to standard error too. */
  readonly mirror: boolean;
}

const SEVERITY = ['debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'];

/**
 * Lines of `time [level] message key=value …`, appended.
 * @throws GatewayError `SETTINGS_INVALID` when the file cannot be written.
 */
export function openErrorLog({ path, level, mirror }: ErrorLogOptions): ErrorLog {
  const least = SEVERITY.indexOf(level);
  const file = open(path);
  let isClosed = false;
  return {
    log(lineLevel, message, fields = {}) {
      if (SEVERITY.indexOf(lineLevel) < least) return;
      const line = `${new Date().toISOString()} [${lineLevel}] ${message}${formatFields(fields)}\n`;
      if (!isClosed) file.write(line);
      if (mirror || isClosed) process.stderr.write(line);
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      file.flushSync();
      file.destroy();
    },
  };
}

function open(path: string): SonicBoom {
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
      `nginx_config.error_log: expected a file that can be written, found ${path}: ${reason}`,
      { cause },
    );
  }
}

function formatFields(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${formatValue(value)}`)
    .join('');
}

function formatValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w.:/@-]+$/.test(text) ? text : JSON.stringify(text);
}
