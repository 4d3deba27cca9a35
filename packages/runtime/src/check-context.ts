import type { CheckContext } from '@apisix-ts/config';
import { balancerKinds } from '@apisix-ts/core';

/** What documents are checked against: the plugins and balancers there are. */
export const checkContext: CheckContext = {
  plugins: new Map(),
  balancers: new Set(balancerKinds.map((kind) => kind.name)),
};
