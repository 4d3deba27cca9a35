export type { Environment } from './substitute.ts';
export { problemsError, showPlace } from './problem.ts';
export type { Problem, Source } from './problem.ts';
