import { parseArgs } from 'node:util';

/** What there is to measure. */
export const summaries = {
  proxy: 'round trips, connections, datagrams and bulk, beside nginx and HAProxy',
  routes: 'set-up of a session, start and memory by number of routes',
  apply: 'the time from an Admin PUT until it is in effect',
  changes: 'the CPU of a change',
  plugins: 'what plugins add to a connection',
  scrape: 'what a scrape of the metrics costs, and holds up',
} as const;
export type CaseName = keyof typeof summaries;
// The keys of the table are the cases.
const caseNames = Object.keys(summaries) as readonly CaseName[];

export interface Options {
  /** What to measure, in this order. */
  readonly cases: readonly CaseName[];
  /** Fewer and shorter rounds: enough to see that it works, not to quote. */
  readonly isQuick: boolean;
  /** Measure nothing: tell the cases, and what the machine has for them. */
  readonly isList: boolean;
}

export const usage = `Usage: pnpm bench [--only proxy|routes|apply|changes|plugins|scrape] [--quick] [--list]

  --only CASE  measure this only; may be repeated
  --quick      some minutes, for a look; the full run takes ten or more
  --list       measure nothing: tell the cases, and what this machine has for them
`;

/** @throws TypeError for an unknown option or case. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  const wanted = values.only ?? caseNames;
  const unknown = wanted.find((name) => !caseNames.some((known) => known === name));
  if (unknown !== undefined) {
    throw new TypeError(`--only: expected ${caseNames.join(', ')}, found ${unknown}`);
  }
  return {
    cases: caseNames.filter((name) => wanted.includes(name)),
    isQuick: values.quick,
    isList: values.list,
  };
}
