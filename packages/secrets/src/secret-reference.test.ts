import { expect, test } from 'vitest';
import { parseReference } from './secret-reference.ts';

test.for([
  ['$env://KEY', { source: 'env', path: 'KEY' }],
  ['$ENV://KEY', { source: 'env', path: 'KEY' }],
  ['$Env://KEY/', { source: 'env', path: 'KEY' }],
  ['$env://PAIR/cert', { source: 'env', path: 'PAIR', key: 'cert' }],
  ['$env://PAIR/a/b', { source: 'env', path: 'PAIR', key: 'a/b' }],
  ['$secret://vault/1/db/cert', { source: 'vault/1', path: 'db', key: 'cert' }],
  ['$secret://vault/a.b/tls/db/main/key', { source: 'vault/a.b', path: 'tls/db/main', key: 'key' }],
  ['$secret://vault/1/tls//db/key', { source: 'vault/1', path: 'tls/db', key: 'key' }],
  ['$secret://aws/1/db', { source: 'aws/1', path: 'db' }],
] as const)('%s is understood', ([written, expected]) => {
  expect(parseReference(written)).toEqual({ written, ...expected });
});

test.for([
  ['$env://', /^"\$env:\/\/": expected \$env:\/\/NAME or \$env:\/\/NAME\/key, found no name of a variable$/],
  ['$env:///key', /found no name of a variable/],
  ['$secret://', /expected \$secret:\/\/<manager>\/<id>\/<path>\/<key>, found no manager$/],
  ['$secret://vault', /found no id of a secrets resource/],
  ['$secret://vault//db/key', /found no id of a secrets resource/],
  ['$secret://vault/1', /found no path/],
  ['$secret://vault/1/', /found no path/],
  ['$secret://vault/1//key', /found no path/],
  ['$secret://vault/1/db/', /found no key/],
  ['$secret://vault/1/../sys/key', /found a "\." or "\.\." in it/],
  ['$SECRET://vault/1/db/key', /expected a reference, found another text/],
] as const)('%s is refused', ([written, message]) => {
  expect(() => parseReference(written)).toThrow(
    expect.objectContaining({ code: 'SECRET_REFERENCE_INVALID', message: expect.stringMatching(message) }),
  );
});
