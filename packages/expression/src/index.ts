export { parseExpression } from './parse-expression.ts';
export type { AddressTest, ParsedExpression, Condition, ReadVariable } from './parse-expression.ts';
export { compilePattern } from './pattern/compile-pattern.ts';
export type { Pattern } from './pattern/compile-pattern.ts';
