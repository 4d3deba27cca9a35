import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeResources } from '@apisix-ts/config';
import type { WrittenResources } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from '../command.ts';

export const exportCommand: Command = {
  name: 'export',
  summary: 'write all resources as apisix.yaml has them, to FILE or standard output',
  options: ['config', 'format', 'json'],
  words: '[FILE]',
  async run(context, options) {
    const [file] = options.words;
    const isJson = options.json || (options.format ?? file?.split('.').at(-1)) === 'json';
    const format = isJson ? 'json' : 'yaml';
    const { openStoreAccess } = await import('../transfer/store-access.ts');
    const access = await openStoreAccess(context, options);
    try {
      const { entries } = await access.load();
      const written = writeResources(entries, format);
      if (file === undefined || file === '-') context.stdout.write(written.text);
      else replaceFile(resolve(context.cwd, file), written.text);
      return tellLosses(context, written);
    } finally {
      await access.close();
    }
  },
};

/** @returns the exit status: everything or not. */
function tellLosses(
  { stderr }: CommandContext,
  { leftOut, withVariables, expiring }: WrittenResources,
): number {
  for (const { key, why } of leftOut) stderr.write(`left out: ${key} ${why}\n`);
  for (const key of withVariables) {
    stderr.write(
      `warning: ${key} has text such as \${{NAME}}, which is replaced when JSON is read; YAML keeps it\n`,
    );
  }
  for (const key of expiring) {
    stderr.write(`warning: ${key} has a time-to-live, which the file does not have: imported, it stays\n`);
  }
  return leftOut.length === 0 ? 0 : 1;
}

/** All of it or nothing, also when the machine fails; for its owner only, since private keys may be in it. */
function replaceFile(path: string, text: string): void {
  const draft = `${path}.${randomBytes(4).toString('hex')}.new`;
  try {
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw fileUnusable(
      `${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
  }
}

function fileUnusable(message: string, cause?: unknown): GatewayError {
  return new GatewayError('TRANSFER_FILE_UNUSABLE', message, { cause });
}
