export { DocumentSet } from './document-set.ts';
export type { CheckStored, DocumentBatch, DocumentChange, DocumentView, Rejection } from './document-set.ts';
