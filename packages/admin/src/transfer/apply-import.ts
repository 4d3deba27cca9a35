import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import type { Revision, StoreWriter } from '@apisix-ts/config';
import type { ImportPlan, PlannedChange } from './plan-import.ts';

/** Makes changes, all at once; each has an outcome of its own. */
export type MakeChanges = (
  changes: readonly PlannedChange[],
) => Promise<readonly PromiseSettledResult<unknown>[]>;

export interface ApplyOptions {
  readonly make: MakeChanges;
  /** How many go to `make` at once. */
  readonly atOnce: number;
  /** Stops between two calls of `make`. */
  readonly signal?: AbortSignal;
  /** Is told how many changes are made, after each call of `make`. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ApplyOutcome {
  /** How many changes were made, of how many. */
  readonly done: number;
  readonly total: number;
  /** Why not all of them: the store's error, or `interrupted` when `signal` aborted. What was done stays. */
  readonly stoppedBy?: GatewayError | 'interrupted';
}

/**
 * Makes the changes of a plan, each only if the resource is what it was when the plan was made. Ends at the first that
 * fails; planned anew, the rest can be done then.
 */
export async function applyImport(
  { steps }: ImportPlan,
  { make, atOnce, signal, onProgress }: ApplyOptions,
): Promise<ApplyOutcome> {
  const total = steps.reduce((sum, step) => sum + step.length, 0);
  let done = 0;
  for (const step of steps) {
    for (let start = 0; start < step.length; start += atOnce) {
      if (signal?.aborted === true) return { done, total, stoppedBy: 'interrupted' };
      const results = await settled(make(step.slice(start, start + atOnce)));
      done += results.filter(({ status }) => status === 'fulfilled').length;
      onProgress?.(done, total);
      const failed = results.find((result) => result.status === 'rejected');
      if (failed === undefined) continue;
      if (!isGatewayError(failed.reason)) throw failed.reason;
      return { done, total, stoppedBy: failed.reason };
    }
  }
  return { done, total };
}

/** A failure of all of them is one of the first. */
async function settled(making: ReturnType<MakeChanges>): Promise<readonly PromiseSettledResult<unknown>[]> {
  try {
    return await making;
  } catch (reason) {
    return [{ status: 'rejected', reason }];
  }
}

/** Makes changes in a store. @param onWritten is told the revision of every write that was acknowledged. */
export async function makeChanges(
  changes: readonly PlannedChange[],
  { writer, onWritten }: { readonly writer: StoreWriter; readonly onWritten?: (revision: Revision) => void },
): Promise<readonly PromiseSettledResult<unknown>[]> {
  return Promise.allSettled(
    changes.map(async ({ key, expected, value }) => {
      const written =
        value === undefined
          ? await writer.delete(key, expected)
          : await writer.compareAndSwap(key, value, expected);
      if (written !== undefined) onWritten?.(written.revision);
    }),
  );
}
