import type { JsonSchema } from '../validate/json-schema.ts';

/** The inside of `discovery:`, by name. As in the reference, a name that is not here is not looked at. */
export const discoverySchemas: Readonly<Record<string, JsonSchema>> = {
  dns: {
    type: 'object',
    description: 'a map with servers or resolv_conf',
    properties: {
      servers: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', description: 'the ip address of a DNS server, with or without a port' },
      },
      resolv_conf: {
        type: 'string',
        minLength: 1,
        description: 'the path of a file such as /etc/resolv.conf',
      },
      order: {
        type: 'array',
        minItems: 1,
        maxItems: 5,
        uniqueItems: true,
        description: 'a list of last, SRV, A, AAAA and CNAME, each at most once',
        items: { type: 'string', enum: ['last', 'SRV', 'A', 'AAAA', 'CNAME'] },
      },
    },
    oneOf: [{ required: ['servers'] }, { required: ['resolv_conf'] }],
  },
};
