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

/** One line that tells what is going on, on a terminal only. */
export interface StatusLine {
  /** Shows nothing in the first second. */
  readonly show: (text: string) => void;
  /** For what is known to take long, and to leave no time to show anything. */
  readonly showAtOnce: (text: string) => void;
  /** Leaves the terminal at the start of an empty line. */
  readonly clear: () => void;
}

export function statusLine({ clock, stderr }: CommandContext): StatusLine {
  const start = clock.now();
  let isShown = false;
  const showAtOnce = (text: string): void => {
    if (stderr.isTTY !== true) return;
    isShown = true;
    stderr.write(`\r${text}\u001B[K`);
  };
  return {
    showAtOnce,
    show: (text) => {
      if (clock.now() - start >= PATIENCE_MS) showAtOnce(text);
    },
    clear: () => {
      if (isShown) stderr.write('\r\u001B[K');
      isShown = false;
    },
  };
}
