export { DocumentSet } from './document-set.ts';
export type { CheckStored, DocumentBatch, DocumentChange, DocumentView, Rejection } from './document-set.ts';
export { placeOfKey } from './key-place.ts';
export type { KeyPlace } from './key-place.ts';
