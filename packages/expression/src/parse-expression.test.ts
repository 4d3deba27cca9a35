import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExpression } from './parse-expression.ts';
import type { AddressTest } from './parse-expression.ts';

/** Of addresses that are written alike. */
const sameText: AddressTest = (texts) =>
  texts.every((text) => isIP(text) > 0) ? (address) => texts.includes(address) : undefined;

const variables: Readonly<Record<string, string | number>> = {
  remote_addr: '192.0.2.1',
  server_port: 9100,
  port_text: '9100',
  ssl_preread_server_name: 'DB.example.com',
  empty: '',
};

function holds(vars: readonly unknown[]): boolean {
  const parsed = parseExpression(vars, sameText);
  if ('fault' in parsed) throw new TypeError(parsed.fault);
  return parsed.holds((name) => variables[name]);
}

test.for([
  ['remote_addr', '==', '192.0.2.1'],
  ['remote_addr', '192.0.2.1'],
  ['server_port', '==', 9100],
  ['server_port', '==', '9100'],
  ['port_text', '==', 9100],
  ['port_text', '==', 9100.0],
  ['port_text', '~=', 9101],
  ['remote_addr', '~=', 'x'],
  ['absent', '~=', 'x'],
  ['absent', '~=', 1],
  ['absent', '==', null],
  ['absent', '=='],
  ['remote_addr', '~=', null],
  ['remote_addr', '~=', true],
  ['server_port', '>', 9099],
  ['server_port', '>', '9099'],
  ['port_text', '>=', 9100],
  ['port_text', '<', ' 9.2e3 '],
  ['port_text', '<=', 9100],
  ['ssl_preread_server_name', '~~', '^DB\\.'],
  ['ssl_preread_server_name', '~*', '^db\\.'],
  ['server_port', '~~', '^91'],
  ['empty', '~~', '^$'],
  ['remote_addr', 'in', ['192.0.2.2', '192.0.2.1']],
  ['port_text', 'in', [1, 9100]],
  ['server_port', 'IN', ['9100']],
  ['remote_addr', 'ipmatch', '192.0.2.1'],
  ['remote_addr', 'ipmatch', ['::1', '192.0.2.1']],
] as const)('%j holds, and with "!" it does not', (condition) => {
  const [variable, ...rest] = condition;

  expect(holds([condition])).toBe(true);
  if (rest.length === 2) expect(holds([[variable, '!', ...rest]])).toBe(false);
});

test.for([
  ['remote_addr', '==', true],
  ['empty', '==', null],
  ['empty', '==', 0],
  ['remote_addr', '>', 1],
  ['remote_addr', '<=', 1],
  ['server_port', '>', 'x'],
  ['server_port', '<', null],
  ['absent', '<', 1],
  ['absent', '~~', ''],
  ['absent', 'in', [null]],
  ['remote_addr', 'in', '192.0.2.1'],
  ['remote_addr', 'has', '192.0.2.1'],
  ['absent', 'ipmatch', '192.0.2.1'],
  ['server_port', 'ipmatch', '192.0.2.1'],
] as const)('%j does not hold, and with "!" it does', ([variable, operator, value]) => {
  expect(holds([[variable, operator, value]])).toBe(false);
  expect(holds([[variable, '!', operator, value]])).toBe(true);
});

const yes = ['remote_addr', '==', '192.0.2.1'];
const no = ['remote_addr', '~=', '192.0.2.1'];

test.for([
  [[], true],
  [[yes, yes], true],
  [[yes, no], false],
  [['AND', yes, no], false],
  [['OR', no, yes], true],
  [['or', no, no], false],
  [['!AND', yes, no], true],
  [['!and', yes, yes], false],
  [['!OR', no, no], true],
  [['!OR', no, yes], false],
  [[yes, ['OR', no, ['!OR', no, no]]], true],
  [['OR', [yes, no], [yes, yes]], true],
  [['OR', [yes, no], no], false],
] as const)('%j: %s', ([vars, isTrue]) => {
  expect(holds(vars)).toBe(isTrue);
});

test.for([
  [['a', '==', 1], 'rule should be wrapped inside brackets'],
  [[{ a: 1 }], 'rule should be wrapped inside brackets'],
  [[[['a', '==', 1], 1]], 'rule should be wrapped inside brackets'],
  [[[]], 'rule too short'],
  [[['a']], 'rule too short'],
  [['OR', ['a', '==', 1]], 'rule too short'],
  [[['AND']], 'rule too short'],
  [[[1, '==', 1]], 'invalid expression'],
  [[['a', '!', '==', 1, 2]], 'invalid expression'],
  [[['a', '=', 1]], "invalid operator '='"],
  [[['a', 'constructor', 1]], "invalid operator 'constructor'"],
  [[['a', 1, 1]], "invalid operator '1'"],
  [[['a', '!', 'like', 1]], "invalid operator 'like'"],
  [[['a', '!', '==']], "invalid operator '!'"],
  [[['a', 'not', '==', 1]], "bad 'not' expression"],
  [[['a', 'ipmatch', '10.0.0.0/33']], 'invalid ip address'],
  [[['a', 'ipmatch', ['10.0.0.1', 1]]], 'invalid ip address'],
  [[['a', 'ipmatch']], 'invalid ip address'],
  [[['a', '~~', 1]], 'a regular expression should be a string'],
  [[['a', '~*', '[']], 'Invalid regular expression: /[/: Unterminated character class'],
  [[['or', ['a', '==', 1], ['b', '=', 1]]], "invalid operator '='"],
] as const)('%j is none: %s', ([vars, fault]) => {
  expect(parseExpression(vars, sameText)).toEqual({ fault });
});

test('every list gets an answer, and every condition one for all variables', () => {
  const vars = fc.array(
    fc.oneof(
      fc.jsonValue(),
      fc.tuple(
        fc.constantFrom('a', 'OR', '!AND'),
        fc.constantFrom('==', '~=', '<', '>=', 'in', 'has', '!', '~~', '~*', 'ipmatch', 'x'),
        fc.jsonValue(),
      ),
    ),
  );
  fc.assert(
    fc.property(vars, fc.option(fc.oneof(fc.string(), fc.double()), { nil: undefined }), (list, value) => {
      const parsed = parseExpression(list, sameText);

      if ('fault' in parsed) expect(parsed.fault).toEqual(expect.any(String));
      else expect(parsed.holds(() => value)).toEqual(expect.any(Boolean));
    }),
  );
});
