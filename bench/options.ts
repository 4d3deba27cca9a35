import { parseArgs } from 'node:util';

export const caseNames = ['proxy', 'routes', 'apply', 'changes', 'scrape'] as const;
export type CaseName = (typeof caseNames)[number];

export interface Options {
  /** What to measure, in this order. */
  readonly cases: readonly CaseName[];
  /** Fewer and shorter rounds: enough to see that it works, not to quote. */
  readonly isQuick: boolean;
}

export const usage = `Usage: pnpm bench [--only proxy|routes|apply|changes|scrape] [--quick]

  --only CASE  measure this only; may be repeated
  --quick      under two minutes, for a look; the full run takes up to ten
`;

/** @throws TypeError for an unknown option or case. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string', multiple: true }, quick: { type: 'boolean', default: false } },
  });
  const wanted = values.only ?? caseNames;
  const unknown = wanted.find((name) => !caseNames.some((known) => known === name));
  if (unknown !== undefined) {
    throw new TypeError(`--only: expected ${caseNames.join(', ')}, found ${unknown}`);
  }
  return { cases: caseNames.filter((name) => wanted.includes(name)), isQuick: values.quick };
}
