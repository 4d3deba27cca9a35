import { availableParallelism } from 'node:os';
import type { Workbench } from '../programs/workbench.ts';
import type { Section } from '../report.ts';

/** One thing to measure. */
export type Case = (workbench: Workbench, isQuick: boolean) => Promise<readonly Section[]>;

/** Who runs where: what is measured has a core of its own. */
export const proxyCpu = 0;
export const loadCpu: number = availableParallelism() > 1 ? 1 : 0;
