import { checkResource, upstreamKind } from '@apisix-ts/config';
import type { HealthChecks } from '@apisix-ts/config';

/** Checks as the snapshot hands them out: valid, with defaults. */
export function checksOf(checks: object): HealthChecks {
  const result = checkResource(
    upstreamKind,
    { nodes: {}, checks },
    { plugins: new Map(), streamPlugins: new Map(), balancers: new Set(['roundrobin']) },
  );
  if (!result.ok) throw new TypeError(result.message);
  if (result.document.checks === undefined) throw new TypeError('the upstream lost its checks');
  return result.document.checks;
}
