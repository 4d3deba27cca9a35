import { expect, test } from 'vitest';
import { placeOfKey } from './key-place.ts';

test.for([
  ['stream_routes/1', 'stream_routes', '1'],
  ['secrets/vault/1', 'secrets', 'vault/1'],
  ['consumers/jack', 'consumers', 'jack'],
  ['consumers/jack/credentials/1', 'credentials', 'jack/credentials/1'],
  ['consumers/jack/credentials/', 'consumers', 'jack/credentials/'],
  ['consumers/jack/credentials/1/2', 'consumers', 'jack/credentials/1/2'],
  ['stream_routes/', 'stream_routes', ''],
  ['gen_id', 'gen_id', ''],
] as const)('%s is of kind %s and has the id %j', ([key, kind, id]) => {
  expect(placeOfKey(key)).toEqual({ kind, id });
});
