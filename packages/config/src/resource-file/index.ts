export { findResourceProblems } from './check-resources.ts';
export type { CheckResourcesOptions } from './check-resources.ts';
export type { ResourceItem } from './collect-items.ts';
export { readResourceFile, resourceFilePath, resourceFileUnreadable } from './read-resource-file.ts';
export { parseResourceFile } from './resource-file.ts';
export type { ResourceFile, ResourceFileOptions, ResourceFormat } from './resource-file.ts';
export { writeResources } from './write-resources.ts';
export type { LeftOut, WrittenResources } from './write-resources.ts';
