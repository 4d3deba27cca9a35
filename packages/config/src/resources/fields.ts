import type { JsonSchema } from '../validate/json-schema.ts';

/** What every stored resource has. */
export interface CommonFields {
  readonly id?: string | number;
  readonly name?: string;
  readonly desc?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Unix seconds. */
  readonly create_time?: number;
  /** Unix seconds. */
  readonly update_time?: number;
}

export const idSchema: JsonSchema = {
  anyOf: [
    { type: 'string', minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-_.]+$' },
    { type: 'integer', minimum: 1 },
  ],
};

/** A host name, an address or `*`, also with a leading `*`. */
export const hostSchema: JsonSchema = {
  type: 'string',
  pattern: String.raw`^\*$|^\*?[0-9a-zA-Z-._\[\]:]+$`,
};

export const portSchema: JsonSchema = { type: 'integer', minimum: 1, maximum: 65_535 };

/** An address or a range in CIDR form, roughly; `isAddressOrRange` is strict. */
export const addressSchema: JsonSchema = {
  anyOf: [
    { title: 'IPv4', type: 'string', format: 'ipv4' },
    {
      title: 'IPv4/CIDR',
      type: 'string',
      pattern: String.raw`^([0-9]{1,3}\.){3}[0-9]{1,3}/([0-9]|[1-2][0-9]|3[0-2])$`,
    },
    { title: 'IPv6', type: 'string', format: 'ipv6' },
    { title: 'IPv6/CIDR', type: 'string', pattern: '^[0-9a-fA-F.:]*:[0-9a-fA-F.:]*/[0-9]{1,3}$' },
  ],
};

export const commonFields: JsonSchema = {
  id: idSchema,
  name: { type: 'string', minLength: 1, maxLength: 256 },
  desc: { type: 'string', maxLength: 256 },
  labels: {
    type: 'object',
    patternProperties: { '.*': { type: 'string', minLength: 1, maxLength: 256, pattern: String.raw`^\S+$` } },
  },
  create_time: { type: 'integer' },
  update_time: { type: 'integer' },
};

export const pluginsSchema: JsonSchema = { type: 'object' };
