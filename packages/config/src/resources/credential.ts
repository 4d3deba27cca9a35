import { checkConsumerPlugins } from './consumer-plugins.ts';
import { commonFields, idSchema } from './fields.ts';
import type { CommonFields } from './fields.ts';
import type { PluginsField } from './plugins.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

/** One more way for a consumer to show who it is. Its id in the store is `<username>/credentials/<id>`. */
export interface CredentialDocument extends Document, CommonFields {
  /** At most one. */
  readonly plugins: PluginsField;
}

export const credentialKind: ResourceKind<CredentialDocument> = {
  name: 'credential',
  segment: 'credentials',
  word: 'credential',
  schema: {
    type: 'object',
    properties: {
      ...commonFields,
      id: {
        anyOf: [
          idSchema,
          { type: 'string', pattern: String.raw`^[a-zA-Z0-9_\-]+/credentials/[a-zA-Z0-9-_.]+$` },
        ],
      },
      plugins: { type: 'object', maxProperties: 1 },
    },
    required: ['plugins'],
    additionalProperties: false,
  },
  references: {},
  check(credential, context) {
    const checked = checkConsumerPlugins(credential.plugins, context);
    if (!checked.ok) return checked;
    const others = Object.keys(credential.plugins).some(
      (name) => context.plugins.has(name) && context.plugins.get(name)?.consumerSchema === undefined,
    );
    return others
      ? { ok: false, message: 'only supports auth type plugins in consumer credential' }
      : { ok: true, document: { ...credential, plugins: checked.plugins } };
  },
};
