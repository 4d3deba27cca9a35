import { commonFields } from './fields.ts';
import type { CommonFields } from './fields.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** A description of gRPC services in the language of protocol buffers. */
export interface ProtoDocument extends Document, CommonFields {
  readonly content: string;
}

export const protoKind: ResourceKind<ProtoDocument> = {
  name: 'proto',
  segment: 'protos',
  word: 'proto',
  schema: {
    type: 'object',
    properties: { ...commonFields, content: { type: 'string', minLength: 1, maxLength: 1_048_576 } },
    required: ['content'],
    additionalProperties: false,
  },
  references: {},
  check: (document) => ({ ok: true, document }),
};
