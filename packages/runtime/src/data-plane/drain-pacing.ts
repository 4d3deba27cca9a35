import type { TimerWheel } from '@apisix-ts/core';
import type { Drain } from '../workers/drain.ts';
import { PacedClosing } from './paced-closing.ts';
import { compileFilter } from './session-filter.ts';
import type { FilterContext } from './session-filter.ts';
import type { OpenSessions } from './session-list.ts';

export interface DrainPacingOptions {
  readonly open: OpenSessions;
  readonly wheel: TimerWheel;
  readonly context: FilterContext;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

/** Closes the sessions of what is drained, each drain over its own window. */
export class DrainPacing {
  readonly #options: DrainPacingOptions;
  readonly #running = new Map<string, PacedClosing>();

  constructor(options: DrainPacingOptions) {
    this.#options = options;
  }

  /** Those that are gone end no further session; those that run already go on. */
  set(drains: readonly Drain[]): void {
    const wanted = new Map(drains.map((drain) => [keyOf(drain), drain]));
    for (const [key, closing] of this.#running) {
      if (wanted.has(key)) continue;
      closing.cancel();
      this.#running.delete(key);
    }
    for (const [key, drain] of wanted) {
      if (drain.overMs === undefined || this.#running.has(key)) continue;
      this.#running.set(key, this.#start(drain, drain.overMs));
    }
  }

  #start({ kind, name }: Drain, overMs: number): PacedClosing {
    const { open, wheel, context, random } = this.#options;
    return new PacedClosing(open, wheel, {
      windowMs: overMs,
      isMeant: compileFilter({ [kind]: name }, context),
      close: (session) => session.finish('SESSION_DRAINED'),
      sparesBusy: false,
      random,
    });
  }
}

/** Draining the same thing anew is another drain. */
function keyOf({ kind, name, since, overMs }: Drain): string {
  return `${kind} ${name} ${since} ${overMs}`;
}
