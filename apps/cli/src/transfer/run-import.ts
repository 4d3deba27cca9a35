import { applyImport } from '@apisix-ts/admin';
import type { ApplyOutcome, ImportPlan } from '@apisix-ts/admin';
import { GatewayError } from '@apisix-ts/errors';
import type { CommandContext } from '../command.ts';
import type { Options } from '../options.ts';
import { statusLine } from '../progress.ts';
import { prepareImport } from './prepare-import.ts';
import { showChanges, summary } from './show-report.ts';
import { openStoreAccess } from './store-access.ts';
import type { StoreAccess } from './store-access.ts';

/**
 * Takes over a file of resources, or only shows what would change.
 * @throws GatewayError `IMPORT_STOPPED` when not all was done, `RESOURCE_INVALID` and others when nothing was.
 */
export async function runImport(
  context: CommandContext,
  options: Options,
  isDryRun: boolean,
): Promise<ImportPlan> {
  const { stdout, stderr } = context;
  const {
    words: [file = ''],
    prune,
    json,
  } = options;
  const access = await openStoreAccess(context, options);
  try {
    const { plan, warnings } = await prepareImport(context, access, { file, prune });
    for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
    const outcome = isDryRun ? undefined : await apply(context, access, plan);
    if (json) {
      stdout.write(
        `${JSON.stringify({ dry_run: isDryRun, ...outcome, ...plan.report, warnings }, undefined, 2)}\n`,
      );
    } else {
      showChanges(context, plan.report);
      stdout.write(`${isDryRun ? 'would be: ' : ''}${summary(plan.report)}\n`);
    }
    return plan;
  } finally {
    await access.close();
  }
}

/** @throws GatewayError `IMPORT_STOPPED` when not all was done, which tells how much was. */
async function apply(
  context: CommandContext,
  { make, atOnce, name }: StoreAccess,
  plan: ImportPlan,
): Promise<Pick<ApplyOutcome, 'done'>> {
  const interrupted = new AbortController();
  const line = statusLine(context);
  const release = context.signals.onInterrupt(() => interrupted.abort());
  const outcome = await applyImport(plan, {
    make,
    atOnce,
    signal: interrupted.signal,
    onProgress: (done, total) => line.show(`importing into ${name}: ${done} of ${total}`),
  }).finally(() => {
    release();
    line.clear();
  });
  const { done, total, stoppedBy } = outcome;
  if (stoppedBy === undefined) return { done };
  const reason =
    stoppedBy === 'interrupted' ? 'it was interrupted' : `${stoppedBy.message} (${stoppedBy.code})`;
  throw new GatewayError(
    'IMPORT_STOPPED',
    `the import stopped after ${done} of ${total} changes, which stay: ${reason}; run it again to do the rest`,
    { cause: stoppedBy },
  );
}
