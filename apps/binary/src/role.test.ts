import { expect, test } from 'vitest';
import { roleOf } from './role.ts';

test.for([
  { calledAs: '/usr/local/bin/apisix', args: [], role: 'command' },
  { calledAs: 'apisix', args: ['--version'], role: 'command' },
  { calledAs: '/usr/local/bin/apisix-gateway', args: ['start'], role: 'command' },
  { calledAs: './apisix-gateway', args: [], role: 'gateway' },
  { calledAs: 'apisix-gateway', args: ['--home', '/srv/gateway'], role: 'gateway' },
])('$calledAs $args is the $role', ({ calledAs, args, role }) => {
  expect(roleOf(calledAs, args)).toBe(role);
});
