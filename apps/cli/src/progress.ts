import type { CommandContext } from './command.ts';

const PATIENCE_MS = 1_000;

/**
 * Says once what is going on, if it is still going on after a second.
 * @returns takes that back; idempotent.
 */
export function waitingNotice({ clock, stderr }: CommandContext, text: string): () => void {
  return clock.after(PATIENCE_MS, () => stderr.write(`${text}\n`));
}

/** One line that counts the seconds, on a terminal only. */
export interface SecondsLine {
  readonly show: (elapsedMs: number) => void;
  /** Leaves the terminal at the start of an empty line. */
  readonly clear: () => void;
}

/** @param text what is going on; the seconds follow it. */
export function secondsLine({ stderr }: CommandContext, text: string): SecondsLine {
  let shown = 0;
  return {
    show: (elapsedMs) => {
      const seconds = Math.floor(elapsedMs / 1000);
      if (stderr.isTTY !== true || seconds === shown) return;
      shown = seconds;
      stderr.write(`\r${text}: ${seconds} s`);
    },
    clear: () => {
      if (shown > 0) stderr.write('\r\u001B[K');
    },
  };
}
