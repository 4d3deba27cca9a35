import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseResourceFile } from '@apisix-ts/config';
import type { ResourceFile } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { CommandContext } from '../command.ts';
import { statusLine } from '../progress.ts';

/** Longer texts take a second and more to parse, in which nothing can be shown. */
const longText = 500_000;

/**
 * Reads a file of resources in the form of apisix.yaml or apisix.json, or standard input for `-`. Which of the two it
 * is, its first character tells.
 * @throws GatewayError `TRANSFER_FILE_UNUSABLE`, `SETTINGS_SYNTAX`, `SETTINGS_VARIABLE_MISSING`.
 */
export function readTransferFile(context: CommandContext, file: string): ResourceFile {
  const path = file === '-' ? 'standard input' : resolve(context.cwd, file);
  const text = readText(path, file);
  const format = text.trimStart().startsWith('{') ? 'json' : 'yaml';
  const line = statusLine(context);
  if (text.length > longText) line.showAtOnce(`reading ${path}`);
  try {
    return parseResourceFile(text, { path, format, env: context.env });
  } finally {
    line.clear();
  }
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError('TRANSFER_FILE_UNUSABLE', `expected a file of resources: ${reason}`, { cause });
  }
}
