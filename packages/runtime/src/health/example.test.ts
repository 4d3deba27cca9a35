import { readFileSync } from 'node:fs';
import { checkResource, streamRouteKind, upstreamKind } from '@apisix-ts/config';
import { expect, test } from 'vitest';
import { compileChecks } from './check-plan.ts';

const page = readFileSync(new URL('../../../../docs/config/health-checks.md', import.meta.url), 'utf8');
const context = { plugins: new Map(), streamPlugins: new Map(), balancers: new Set(['roundrobin']) };

test('the example of the documentation does what the page says', () => {
  const [upstream = '', route = ''] = Array.from(page.matchAll(/ -d '([^']+)'/g), ([, body]) => body);
  const checkedUpstream = checkResource(upstreamKind, JSON.parse(upstream), context);
  const checkedRoute = checkResource(streamRouteKind, JSON.parse(route), context);

  if (!checkedUpstream.ok) throw new TypeError(checkedUpstream.message);
  if (checkedUpstream.document.checks === undefined) throw new TypeError('the example has no checks');
  expect(checkedRoute.ok).toBe(true);
  expect(compileChecks(checkedUpstream.document.checks)).toMatchObject({
    probe: { type: 'tcp' },
    timeoutMs: 1000,
    intervalMs: { healthy: 5000, unhealthy: 1000 },
    thresholds: { active: { success: 2, tcp_failure: 2, timeout: 2 } },
  });
});
