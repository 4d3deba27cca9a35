import { writeYaml } from '@apisix-ts/config';
import type { CheckContext, Document, ResourceKind, Store } from '@apisix-ts/config';
import { answer, refuse } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { Endpoint, Endpoints } from '../endpoints.ts';
import { createFault } from '../handlers/check-document.ts';
import { checkKeyring } from '../keyring.ts';
import type { AdminRequest } from '../request.ts';
import { createWriteGate } from '../write-gate.ts';
import { collectionsOf, versionKey } from './collections.ts';
import { itemFaults, versionFaults } from './find-faults.ts';
import type { CheckingContext } from './find-faults.ts';
import { nextConfiguration, shownConfiguration, storedValues } from './kept-configuration.ts';
import type { KeptConfiguration } from './kept-configuration.ts';
import { readConfiguration, yamlType } from './read-configuration.ts';
import { createValidateEndpoint } from './validate-configuration.ts';

export interface ConfigsEndpointsOptions {
  readonly kinds: readonly ResourceKind[];
  readonly checkContext: CheckContext;
  /** Makes the resources in effect exactly these, as one change. */
  readonly replaceAll: NonNullable<Store['replaceAll']>;
  /** `apisix.data_encryption.keyring`: opens private keys that are sent encrypted. Default none. */
  readonly keyring?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What the last configuration that was taken said about itself. */
interface Metadata {
  readonly digest: string;
  /** Unix seconds. */
  readonly lastModified: number;
}

/**
 * The endpoints of the API-driven form, where a configuration is PUT as a whole and kept in memory, for as long as
 * these endpoints are. It starts empty.
 * @throws GatewayError `SETTINGS_INVALID` for a key of `keyring` that has neither 16 nor 32 bytes.
 */
export function createConfigsEndpoints(options: ConfigsEndpointsOptions): Endpoints {
  const { kinds, checkContext, replaceAll, now, keyring = [] } = options;
  const context: CheckingContext = {
    kinds,
    keyring: checkKeyring(keyring),
    fault: createFault(checkContext),
  };
  const collections = collectionsOf(kinds);
  const gate = createWriteGate();
  let kept: KeptConfiguration = new Map();
  let metadata: Metadata | undefined;

  async function get(request: AdminRequest): Promise<Answer> {
    const shown = { ...shownConfiguration(kept, collections), ...metadataMembers(metadata) };
    const headers = metadataHeaders(metadata);
    if (request.header('accept')?.startsWith(yamlType) !== true) return { ...answer(200, shown), headers };
    return {
      status: 200,
      body: { text: writeYaml(shown) },
      headers: { ...headers, 'content-type': yamlType },
    };
  }

  async function head(): Promise<Answer> {
    return { status: 200, headers: metadataHeaders(metadata) };
  }

  async function put(request: AdminRequest): Promise<Answer> {
    const digest = request.header('x-digest') ?? '';
    if (digest === '') return refuse(400, 'missing digest header');
    const sent = await readConfiguration(request);
    if ('refusal' in sent) return sent.refusal;
    return gate.alone(() => take(digest, sent.configuration));
  }

  async function take(digest: string, configuration: Document): Promise<Answer> {
    if (digest === metadata?.digest) return { status: 204 };
    const refusal = firstFault(configuration);
    if (refusal !== undefined) return refusal;
    const result = nextConfiguration(kept, configuration, collections);
    if ('wrong' in result) return refuse(400, result.wrong);
    await replaceAll(storedValues(result.next));
    kept = result.next;
    metadata = { digest, lastModified: Math.floor(now() / 1000) };
    return { status: 202, headers: metadataHeaders(metadata) };
  }

  function firstFault(configuration: Document): Answer | undefined {
    const [version] = versionFaults(configuration, collections);
    if (version !== undefined) {
      return refuse(400, `${versionKey({ name: version.resource_type })} must be a number`);
    }
    const [fault] = itemFaults(configuration, collections, context);
    if (fault === undefined) return undefined;
    const { error, ...place } = fault;
    // The place is ours: the reference leaves it to the reader to find the item.
    return answer(400, { error_msg: error, ...place });
  }

  const endpoints: Readonly<Record<string, Endpoint>> = {
    'GET configs': get,
    'HEAD configs': head,
    'PUT configs': put,
    'POST configs/validate': createValidateEndpoint(context),
  };
  return { find: (method, path) => endpoints[`${method} ${path.join('/')}`] };
}

const MODIFIED = 'X-Last-Modified';
const DIGEST = 'X-Digest';

/** The reference has them in the body too. */
function metadataMembers(metadata: Metadata | undefined): Document {
  return metadata === undefined ? {} : { [MODIFIED]: metadata.lastModified, [DIGEST]: metadata.digest };
}

function metadataHeaders(metadata: Metadata | undefined): Readonly<Record<string, string>> {
  if (metadata === undefined) return {};
  return { [MODIFIED.toLowerCase()]: String(metadata.lastModified), [DIGEST.toLowerCase()]: metadata.digest };
}
