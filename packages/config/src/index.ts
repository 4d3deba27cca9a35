export * from './encryption/index.ts';
export * from './resource-file/index.ts';
export * from './settings/index.ts';
export * from './source/index.ts';
export * from './snapshot/index.ts';
export * from './store/index.ts';
export * from './resources/index.ts';
export * from './validate/index.ts';
