import { answer } from '../answer.ts';
import type { Endpoint } from '../endpoints.ts';
import { collectionsOf } from './collections.ts';
import { itemFaults, versionFaults } from './find-faults.ts';
import type { CheckingContext } from './find-faults.ts';
import { readConfiguration } from './read-configuration.ts';

/** `POST configs/validate`: a whole configuration is checked, and all faults are told. Nothing is stored. */
export function createValidateEndpoint(context: CheckingContext): Endpoint {
  const collections = collectionsOf(context.kinds);
  return async (request) => {
    const sent = await readConfiguration(request);
    if ('refusal' in sent) return sent.refusal;
    const { configuration } = sent;
    const errors = [
      ...versionFaults(configuration, collections),
      ...itemFaults(configuration, collections, context),
    ];
    if (errors.length === 0) return answer(200, {});
    return answer(400, { error_msg: 'Configuration validation failed', errors });
  };
}
