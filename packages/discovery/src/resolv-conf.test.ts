import { expect, test } from 'vitest';
import { candidates, parseResolvConf, readResolvConf } from './resolv-conf.ts';

test('servers, the last search list and the number of dots are read', () => {
  const text = [
    '# comment',
    '; comment',
    'domain old.test ignored.test',
    'nameserver 192.0.2.1',
    'nameserver fe80::1%eth0',
    'nameserver 2001:db8::1',
    'nameserver example.test',
    '  search a.test  b.test',
    'options rotate ndots:5 timeout:1',
    'nonsense',
  ].join('\n');

  expect(parseResolvConf(text)).toEqual({
    servers: ['192.0.2.1', '2001:db8::1'],
    search: ['a.test', 'b.test'],
    minDots: 5,
  });
});

test('a file that is empty or not there means the server of this machine', () => {
  const nothing = { servers: ['127.0.0.1'], search: [], minDots: 1 };

  expect(parseResolvConf('')).toEqual(nothing);
  expect(readResolvConf('/nowhere/resolv.conf')).toEqual(nothing);
});

test.for([
  ['db', 1, ['db.x.test', 'db.y.test', 'db']],
  ['db.prod', 1, ['db.prod', 'db.prod.x.test', 'db.prod.y.test']],
  ['db.prod', 5, ['db.prod.x.test', 'db.prod.y.test', 'db.prod']],
  ['db.', 5, ['db.']],
] as const)('%s with ndots %i is looked for as %j', ([name, minDots, expected]) => {
  expect(candidates(name, { search: ['x.test', 'y.test'], minDots })).toEqual(expected);
});
