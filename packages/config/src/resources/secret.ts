import { compileSchema } from '../validate/compile-schema.ts';
import type { JsonSchema } from '../validate/json-schema.ts';
import type { Document, ResourceKind } from './resource-kind.ts';

const text: JsonSchema = { type: 'string' };

/** The settings of each kind of secret manager. */
const managers: ReadonlyMap<string, JsonSchema> = new Map([
  [
    'vault',
    {
      type: 'object',
      properties: { uri: text, prefix: text, token: text, namespace: text },
      required: ['uri', 'prefix', 'token'],
    },
  ],
  [
    'aws',
    {
      type: 'object',
      properties: {
        access_key_id: text,
        secret_access_key: text,
        session_token: text,
        region: text,
        endpoint_url: text,
      },
      required: ['access_key_id', 'secret_access_key'],
    },
  ],
  [
    'gcp',
    {
      type: 'object',
      properties: {
        auth_config: {
          type: 'object',
          properties: {
            client_email: text,
            private_key: text,
            project_id: text,
            token_uri: text,
            entries_uri: text,
            scope: { type: 'array', items: text },
          },
          required: ['client_email', 'private_key', 'project_id'],
        },
        auth_file: text,
        ssl_verify: { type: 'boolean', default: true },
      },
      oneOf: [{ required: ['auth_config'] }, { required: ['auth_file'] }],
    },
  ],
]);

/** How to reach a manager of secrets. The id is `<manager>/<id>`; members that the manager does not know are kept. */
export const secretKind: ResourceKind = {
  name: 'secret',
  segment: 'secrets',
  word: 'secret',
  schema: { type: 'object' },
  references: {},
  check(document) {
    const [manager = ''] = typeof document['id'] === 'string' ? document['id'].split('/') : [];
    const schema = managers.get(manager);
    if (schema === undefined) return { ok: false, message: `invalid secret manager: ${manager}` };
    const checked = compileSchema<Document>(schema)(document);
    return checked.ok
      ? { ok: true, document: checked.value }
      : { ok: false, message: `invalid configuration: ${checked.message}` };
  },
};
