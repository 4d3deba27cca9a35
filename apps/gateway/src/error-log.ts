import type { Log } from '@apisix-ts/runtime';
import { openLogFile } from './log-file.ts';

export interface ErrorLog {
  readonly log: Log;
  /** Goes on in the file that now has the path: the former one was moved away. */
  reopen(): void;
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
  const file = openLogFile(path, 'nginx_config.error_log');
  let isClosed = false;
  return {
    log(lineLevel, message, fields = {}) {
      if (SEVERITY.indexOf(lineLevel) < least) return;
      const line = `${new Date().toISOString()} [${lineLevel}] ${message}${formatFields(fields)}\n`;
      file.write(line);
      if (mirror || isClosed) process.stderr.write(line);
    },
    reopen: () => file.reopen(),
    close() {
      isClosed = true;
      file.close();
    },
  };
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
