export { isMap, showPath } from './key-path.ts';
export type { KeyPath } from './key-path.ts';
export type { Environment } from './substitute.ts';
export { problemsError, refuseAny, showPlace } from './problem.ts';
export type { Problem, Source } from './problem.ts';
