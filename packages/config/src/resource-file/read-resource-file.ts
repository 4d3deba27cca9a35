import { readFileSync } from 'node:fs';
import { GatewayError } from '@apisix-ts/errors';
import { confFile } from '../source/conf-file.ts';
import type { Environment } from '../source/substitute.ts';
import { parseResourceFile } from './resource-file.ts';
import type { ResourceFile, ResourceFileOptions, ResourceFormat } from './resource-file.ts';

/** `HOME/conf/apisix.yaml`, or `apisix-p.yaml` there when `APISIX_PROFILE` is `p`; `apisix.json` likewise. */
export function resourceFilePath(home: string, format: ResourceFormat, env: Environment): string {
  return confFile(home, 'apisix', format, env);
}

/**
 * Reads a file of resources once.
 * @throws GatewayError `SETTINGS_FILE_UNREADABLE`, and what `parseResourceFile` throws.
 */
export function readResourceFile(options: ResourceFileOptions): ResourceFile {
  let text: string;
  try {
    text = readFileSync(options.path, 'utf8');
  } catch (cause) {
    throw resourceFileUnreadable(options.path, cause);
  }
  return parseResourceFile(text, options);
}

export function resourceFileUnreadable(path: string, cause: unknown): GatewayError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new GatewayError('SETTINGS_FILE_UNREADABLE', `failed to fetch ${path} attributes: ${why}`, {
    cause,
  });
}
