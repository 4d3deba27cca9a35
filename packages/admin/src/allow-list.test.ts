import { expect, test } from 'vitest';
import { createAllowList } from './allow-list.ts';

test.for([
  [undefined, '203.0.113.9', true],
  [[], '127.0.0.1', false],
  [['127.0.0.0/24'], '127.0.0.255', true],
  [['127.0.0.0/24'], '127.0.1.0', false],
  [['127.0.0.0/24'], '::1', false],
  [['10.0.0.1', '::1'], '10.0.0.1', true],
  [['10.0.0.1', '::1'], '0:0::1', true],
  [['fd00::/8'], 'fd12::1', true],
  [['0.0.0.0/0'], '203.0.113.9', true],
  [['0.0.0.0/0'], 'not an address', false],
  [['0.0.0.0/0'], '::1', false],
  [['::/0'], '::1', true],
  [['::/0'], '127.0.0.1', false],
  [['::/64'], '127.0.0.1', false],
  [['::ffff:10.0.0.0/104'], '10.9.9.9', true],
  [['::ffff:10.0.0.0/104'], '11.0.0.1', false],
  [['::FFFF:10.0.0.1'], '10.0.0.1', true],
] as const)('%j and %s: %j', ([allowed, address, isAllowed]) => {
  expect(createAllowList(allowed)(address)).toBe(isAllowed);
});

test('clients that ask by turns are told apart', () => {
  const isAllowed = createAllowList(['10.0.0.0/8']);

  const asked = ['10.0.0.1', '10.0.0.1', '11.0.0.1', '11.0.0.1', '10.0.0.1', '', '10.0.0.1'];

  expect(asked.map(isAllowed)).toEqual([true, true, false, false, true, false, true]);
});

test.for(['localhost', '127.0.0.1/33', '::1/129', '127.0.0.1/', '10.0.0.0/8/8', '10/8', ''])(
  '"%s" is refused',
  (entry) => {
    expect(() => createAllowList([entry])).toThrow(
      expect.objectContaining({
        code: 'SETTINGS_INVALID',
        message: `An entry of deployment.admin.allow_admin must be an address or a CIDR block, got "${entry}".`,
      }),
    );
  },
);
