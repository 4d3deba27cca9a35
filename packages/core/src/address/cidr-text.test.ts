import { expect, test } from 'vitest';
import { cidrText } from './cidr-text.ts';
import { parseCidr } from './ip.ts';

test.for([
  ['192.0.2.9', '192.0.2.9'],
  ['192.0.2.9/24', '192.0.2.0/24'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:db8::1', '2001:db8::1'],
  ['2001:DB8:0:0::/32', '2001:db8::/32'],
  ['::/0', '::/0'],
] as const)('%s is written as %s', ([text, written]) => {
  const prefix = parseCidr(text);

  expect(prefix && cidrText(prefix)).toBe(written);
});
