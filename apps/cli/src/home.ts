import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Environment } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';

/** The installation: relative paths hang off it. */
export interface Home {
  /** Absolute path. */
  readonly path: string;
  /** Why this one; reads on after "HOME is … ". */
  readonly reason: string;
}

const standardPath = '/usr/local/apisix';

/** @param option what `--home` said. */
export function findHome(option: string | undefined, env: Environment, cwd: string): Home {
  if (option !== undefined) return { path: resolve(cwd, option), reason: 'as --home says' };
  const prefix = env['APISIX_PREFIX'];
  if (prefix !== undefined && prefix !== '') {
    return { path: resolve(cwd, prefix), reason: 'as the environment variable APISIX_PREFIX says' };
  }
  if (existsSync(join(cwd, 'conf', 'config.yaml'))) return { path: cwd, reason: 'the current folder' };
  return {
    path: standardPath,
    reason: `the standard place, because ${cwd} has no conf/config.yaml; --home DIR names another`,
  };
}

/**
 * The folders that a gateway writes to.
 * @throws GatewayError `HOME_UNUSABLE`.
 */
export function makeFolders({ path, reason }: Home): void {
  if (!isFolder(path)) {
    throw new GatewayError(
      'HOME_UNUSABLE',
      `expected the installation in the folder ${path}, found none (HOME is ${reason})`,
    );
  }
  for (const folder of [join(path, 'logs'), join(path, 'data')]) makeFolder(folder);
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    if (existsSync(path)) {
      throw new GatewayError('HOME_UNUSABLE', `${path} is not directory nor symbol link`, { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError('HOME_UNUSABLE', `failed to mkdir ${path}, error: ${reason}`, { cause });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
