import { planImport } from '@apisix-ts/admin';
import type { ImportFault, ImportPlan } from '@apisix-ts/admin';
import { refuseAny, resourceKinds } from '@apisix-ts/config';
import type { Problem, ResourceItem, Source } from '@apisix-ts/config';
import type { CommandContext } from '../command.ts';
import { readTransferFile } from './read-file.ts';
import type { StoreAccess } from './store-access.ts';

export interface PreparedImport {
  readonly plan: ImportPlan;
  /** What is legal but surely not meant, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Compares a file with a store.
 * @throws GatewayError `RESOURCE_INVALID` with everything that is wrong with the file, a line each; what reading it and
 * the store throw.
 */
export async function prepareImport(
  context: CommandContext,
  access: StoreAccess,
  { file, prune }: { readonly file: string; readonly prune: boolean },
): Promise<PreparedImport> {
  const read = readTransferFile(context, file);
  const stored = await access.load();
  const planned = planImport(read.items, stored, {
    kinds: resourceKinds,
    checkContext: access.checkContext,
    keyring: access.keyring,
    prune,
    nowSeconds: Math.floor(context.clock.now() / 1000),
  });
  const byKey = new Map(read.items.map((item) => [item.key, item]));
  refuseAny(
    [
      ...read.problems,
      ...read.duplicates,
      ...('faults' in planned ? planned.faults.map((fault) => toProblem(fault, byKey, read.source)) : []),
    ],
    read.source,
  );
  if ('faults' in planned) throw new TypeError('expected faults to be refused');
  return { plan: planned, warnings: [...read.warnings, ...planned.report.warnings] };
}

/** With its place in the file. */
function toProblem(
  { key, path, message }: ImportFault,
  itemsByKey: ReadonlyMap<string, ResourceItem>,
  source: Source,
): Problem {
  const item = itemsByKey.get(key);
  const at = item && source.locate([...item.path, ...path]);
  return { code: 'RESOURCE_INVALID', text: message, path: [], ...(at !== undefined && { at }) };
}
