import { AddressSet, parseCidr } from '@apisix-ts/core';
import type { PluginRefusal, PluginSession, StreamPlugin } from '@apisix-ts/core';

/** Exactly one of the two lists: addresses and ranges in CIDR form. */
export interface IpRestriction {
  readonly whitelist?: readonly string[];
  readonly blacklist?: readonly string[];
  /** Nobody is told on this layer; the log is. */
  readonly message: string;
  /** 403 or 404. */
  readonly response_code: number;
}

const addresses = { type: 'array', minItems: 1, items: { type: 'string' } };

/** Lets clients in, or keeps them out, by their addresses. */
export const ipRestriction: StreamPlugin<IpRestriction> = {
  name: 'ip-restriction',
  priority: 3000,
  version: 0.1,
  schema: {
    type: 'object',
    properties: {
      message: {
        type: 'string',
        minLength: 1,
        maxLength: 1024,
        default: 'Your IP address is not allowed',
      },
      response_code: { type: 'integer', minimum: 403, maximum: 404, default: 403 },
      whitelist: addresses,
      blacklist: addresses,
    },
    oneOf: [{ required: ['whitelist'] }, { required: ['blacklist'] }],
  },
  check({ whitelist = [], blacklist = [] }) {
    const wrong = [...whitelist, ...blacklist].find((text) => parseCidr(text) === undefined);
    return wrong === undefined ? undefined : `invalid ip address: ${wrong}`;
  },
  compile({ whitelist, blacklist, message, response_code: status }) {
    const listed = new AddressSet(whitelist ?? blacklist ?? []);
    const isWelcomeIf = whitelist !== undefined;
    const judge = ({ remoteAddress }: Pick<PluginSession, 'remoteAddress'>): PluginRefusal | undefined =>
      listed.has(remoteAddress) === isWelcomeIf ? undefined : { refuse: status, reason: message };
    return { preread: judge, foresee: judge };
  },
};
