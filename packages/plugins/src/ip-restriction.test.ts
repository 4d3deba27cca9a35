import { expect, test } from 'vitest';
import { ipRestriction } from './ip-restriction.ts';
import { compilePlugin, faultOf, preread } from './testing/plugin-scene.ts';

test.each([
  [{}, 'value should match only one schema, but matches none'],
  [
    { whitelist: ['192.0.2.1'], blacklist: ['192.0.2.1'] },
    'value should match only one schema, but matches both schemas 1 and 2',
  ],
  [{ whitelist: [] }, 'property "whitelist" validation failed: expect array to have at least 1 items'],
  [{ blacklist: ['192.0.2.1', '::g'] }, 'invalid ip address: ::g'],
  [{ blacklist: ['192.0.2.1/33'] }, 'invalid ip address: 192.0.2.1/33'],
  [
    { blacklist: ['192.0.2.1'], response_code: 500 },
    'property "response_code" validation failed: expected 500 to be at most 404',
  ],
])('%j is refused', (configuration, message) => {
  expect(faultOf(ipRestriction, configuration)).toBe(message);
});

const refusal = { refuse: 403, reason: 'Your IP address is not allowed' };

test.each([
  [{ whitelist: ['192.0.2.0/24', '2001:db8::1'] }, '192.0.2.200', undefined],
  [{ whitelist: ['192.0.2.0/24', '2001:db8::1'] }, '2001:db8::1', undefined],
  [{ whitelist: ['192.0.2.0/24', '2001:db8::1'] }, '192.0.3.1', refusal],
  [{ blacklist: ['192.0.2.1'] }, '192.0.2.1', refusal],
  [{ blacklist: ['192.0.2.1'] }, '::ffff:192.0.2.1', refusal],
  [{ blacklist: ['192.0.2.1'] }, '192.0.2.2', undefined],
  [{ blacklist: ['::/0'] }, '192.0.2.1', undefined],
  [
    { blacklist: ['192.0.2.1'], response_code: 404, message: 'not here' },
    '192.0.2.1',
    { refuse: 404, reason: 'not here' },
  ],
])('%j says to %s: %j', (configuration, remoteAddress, step) => {
  const plugin = compilePlugin(ipRestriction, configuration);

  expect(preread(plugin, { remoteAddress })).toEqual(step);
  expect(plugin.foresee?.({ remoteAddress })).toEqual(step);
});
