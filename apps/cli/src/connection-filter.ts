import type { ControlRequest } from './control-client.ts';
import type { OptionName, Options } from './options.ts';
import { readSeconds } from './seconds.ts';

/** The options that say which connections are meant. */
export const filterOptions: readonly OptionName[] = [
  'listener',
  'route',
  'service',
  'upstream',
  'node',
  'client',
  'protocol',
  'sni',
  'state',
  'id',
  'older-than',
];

/** The same as the Control API has them. @throws GatewayError `CONTROL_REQUEST_REFUSED`. */
export function filterQuery(options: Options): NonNullable<ControlRequest['query']> {
  const { listener, route, service, upstream, node, client, protocol, sni, state, id, olderThan } = options;
  return {
    listener,
    route,
    service,
    upstream,
    node,
    client,
    protocol,
    sni,
    state,
    id,
    older_than: olderThan === undefined ? undefined : String(readSeconds('older-than', olderThan)),
  };
}
