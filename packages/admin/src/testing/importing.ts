import { createMemoryStore, resourceKinds } from '@apisix-ts/config';
import type { CheckContext, Document, StoreWriter } from '@apisix-ts/config';
import { expect, onTestFinished } from 'vitest';
import { applyImport, makeChanges } from '../transfer/apply-import.ts';
import type { ApplyOptions, ApplyOutcome } from '../transfer/apply-import.ts';
import type { ImportReport } from '../transfer/import-report.ts';
import { planImport } from '../transfer/plan-import.ts';
import type { ImportItem, ImportOptions, ImportPlan } from '../transfer/plan-import.ts';

/** The present, in Unix seconds. */
export const now = 1_700_000_000;
export const keyring: readonly string[] = ['qeddd145sfvddff3', 'edd1c9f0985e76a2'];
const context: CheckContext = {
  plugins: new Map(),
  streamPlugins: new Map(),
  balancers: new Set(['roundrobin']),
};
export const options: ImportOptions = {
  kinds: resourceKinds,
  checkContext: context,
  keyring,
  nowSeconds: now,
};

export async function storeWith(values: Readonly<Record<string, unknown>>): Promise<StoreWriter> {
  const store = createMemoryStore();
  onTestFinished(() => store.close());
  for (const [key, value] of Object.entries(values)) await store.writer.put(key, JSON.stringify(value));
  return store.writer;
}

export function itemsOf(file: Readonly<Record<string, unknown>>): readonly ImportItem[] {
  return Object.entries(file).map(([key, value]) => ({ key, value }));
}

export async function planned(
  stored: StoreWriter,
  file: Readonly<Record<string, unknown>>,
  more: Partial<ImportOptions> = {},
): Promise<ImportPlan> {
  const result = planImport(itemsOf(file), await stored.list(''), { ...options, ...more });
  if ('faults' in result) throw new Error(result.faults.map(({ message }) => message).join('\n'));
  return result;
}

export function applied(
  plan: ImportPlan,
  writer: StoreWriter,
  more: Partial<ApplyOptions> = {},
): Promise<ApplyOutcome> {
  return applyImport(plan, { make: (changes) => makeChanges(changes, { writer }), atOnce: 64, ...more });
}

export async function imported(
  stored: StoreWriter,
  file: Readonly<Record<string, unknown>>,
  more: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  const plan = await planned(stored, file, more);
  const { done, total, stoppedBy } = await applied(plan, stored);
  expect([done, stoppedBy]).toEqual([total, undefined]);
  return plan.report;
}

export async function documentsIn(stored: StoreWriter): Promise<Readonly<Record<string, Document>>> {
  const { entries } = await stored.list('');
  return Object.fromEntries(entries.map(({ key, value }) => [key, JSON.parse(value)]));
}
