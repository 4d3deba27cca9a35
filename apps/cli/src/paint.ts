import type { CommandContext } from './command.ts';

/** Puts text in a colour where a person looks, and leaves it alone elsewhere. */
export interface Paint {
  bold(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

const codes = { bold: 1, good: 32, warn: 33, bad: 31 } as const;

/** On a terminal only, and not where `NO_COLOR` is set (no-color.org). */
export function createPaint({ stdout, env }: Pick<CommandContext, 'stdout' | 'env'>): Paint {
  const isPainted = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '';
  const paint =
    (code: number) =>
    (text: string): string =>
      isPainted ? `\u001B[${code}m${text}\u001B[0m` : text;
  return {
    bold: paint(codes.bold),
    good: paint(codes.good),
    warn: paint(codes.warn),
    bad: paint(codes.bad),
  };
}
