export * from './store/index.ts';
export type { Document, ResourceKind } from './resources/resource-kind.ts';
export type { JsonSchema } from './validate/json-schema.ts';
