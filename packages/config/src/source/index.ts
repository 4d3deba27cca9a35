export { parseYaml, writeYaml } from './plain-yaml.ts';
export type { Environment } from './substitute.ts';
export { describeProblem, problemsError } from './problem.ts';
export type { Problem, Source } from './problem.ts';
