import { varsFault } from '@apisix-ts/config';
import { compileExpression, expressionFault } from '@apisix-ts/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom('::ffff:10.0.0.1', 'fe80::1%eth0', '010.0.0.1', '1.2.3', '::g', '', '1::2::3'),
);
const range = fc
  .tuple(address, fc.oneof(fc.integer({ max: 140 }), fc.constantFrom('', '08', ' 8', '1e1', '-1')))
  .map(([ip, prefix]) => `${ip}/${prefix}`);
const addresses = fc.oneof(address, range, fc.string());
const value = fc.oneof(addresses, fc.array(addresses, { maxLength: 3 }), fc.jsonValue());
const operator = fc.constantFrom('==', '~=', '<', '>=', 'in', 'has', '~~', '~*', 'ipmatch', 'IPMATCH', 'is');
const { condition } = fc.letrec((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(fc.constantFrom('remote_addr', 'a'), operator, value),
    fc.tuple(fc.constant('a'), fc.constantFrom('!', 'not'), operator, value),
    fc.tuple(fc.constantFrom('OR', '!and', '!OR', 'NOR'), tie('condition'), tie('condition')),
    fc.array(tie('condition'), { maxLength: 2 }),
    fc.jsonValue(),
  ),
}));

test('what is right or wrong on write is so for what serves', () => {
  fc.assert(
    fc.property(fc.array(condition, { maxLength: 3 }), (vars) => {
      const fault = varsFault(vars);

      expect(expressionFault(vars)).toBe(fault);
      if (fault === undefined)
        expect(compileExpression(vars)(() => '192.0.2.1')).toEqual(expect.any(Boolean));
      else expect(() => compileExpression(vars)).toThrow(fault);
    }),
    { numRuns: 2000 },
  );
});
