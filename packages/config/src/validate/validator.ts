import { Ajv } from 'ajv';
import type { ErrorObject, FuncKeywordDefinition, ValidateFunction } from 'ajv';
import { toAjvSchema } from './ajv-schema.ts';
import type { AjvSchema } from './ajv-schema.ts';
import type { JsonSchema } from './json-schema.ts';
import { kindKeyword } from './kind-keyword.ts';
import { textKeyword } from './text-keyword.ts';

/** A schema in ajv's hands. */
export interface Validator {
  readonly translated: AjvSchema;
  readonly validate: ValidateFunction;
}

/** A value that may be put right: defaults are filled in, and an empty array may become an empty object. */
export interface Draft {
  value: unknown;
}

const validators = new WeakMap<JsonSchema, Validator>();

/** The validator of a schema: compiled when it is first asked for, then kept as long as the schema object lives. */
export function validatorOf(schema: JsonSchema): Validator {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const translated = toAjvSchema(schema);
  const validator: Validator = { translated, validate: compiler().compile(translated) };
  validators.set(schema, validator);
  return validator;
}

/** @returns ajv's last error, which tells where a whole value failed, or undefined when the value passed. */
export function findError(schema: JsonSchema, draft: Draft): ErrorObject | undefined {
  const { validate } = validatorOf(schema);
  const place = { instancePath: '', parentData: draft, parentDataProperty: 'value', rootData: draft };
  if (validate(draft.value, { ...place, dynamicAnchors: {} })) return undefined;
  const error = validate.errors?.at(-1);
  if (error === undefined) throw new TypeError('ajv refused a value without saying why');
  return error;
}

/** `part: schema` is that schema, compiled on its own: when a value first has such a member, and once for all its users. */
const partKeyword: FuncKeywordDefinition = {
  keyword: 'part',
  schemaType: 'object',
  modifying: true,
  errors: false,
  compile(schema: JsonSchema) {
    return (value: unknown, place) => validatorOf(schema).validate(value, place);
  },
};

let shared: Ajv | undefined;

/** Made at the first use: a gateway that has nothing to check yet starts without it. */
function compiler(): Ajv {
  shared ??= new Ajv({
    strict: false,
    unicodeRegExp: false,
    useDefaults: true,
    validateSchema: false,
    meta: false,
    messages: false,
    logger: false,
    addUsedSchema: false,
    // The optimiser doubles the time to compile; checks are no faster with it.
    code: { optimize: false },
    keywords: [kindKeyword, textKeyword, partKeyword, { keyword: 'inOrder' }],
  });
  return shared;
}
