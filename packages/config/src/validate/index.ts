export type { CheckFailure, CheckResult } from './check-result.ts';
export { compileSchema } from './compile-schema.ts';
export type { Check } from './compile-schema.ts';
export { depthFault } from './copy-json.ts';
export { findFaults } from './find-faults.ts';
export type { JsonSchema } from './json-schema.ts';
export { isReference } from './text-keyword.ts';
