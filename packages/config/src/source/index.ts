export { editDistance } from './edit-distance.ts';
export { isMap, showPath } from './key-path.ts';
export type { KeyPath } from './key-path.ts';
export { parseYaml, writeYaml } from './plain-yaml.ts';
export type { Environment } from './substitute.ts';
export { describeProblem, problemsError, refuseAny } from './problem.ts';
export type { Problem, Source } from './problem.ts';
