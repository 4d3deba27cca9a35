import type { Drain, DrainKind } from '../workers/drain.ts';
import type { ListenerSpec, NodeIdentity } from '../workers/worker-link.ts';
import { isListener, isNode, isUpstream } from './session-filter.ts';

/** What a worker gives no new sessions to. */
export class DrainRules {
  /** Counts the changes. */
  version = 0;
  #names: Readonly<Partial<Record<DrainKind, readonly string[]>>> = {};

  set(drains: readonly Pick<Drain, 'kind' | 'name'>[]): void {
    this.version += 1;
    const byKind = Map.groupBy(drains, ({ kind }) => kind);
    this.#names = Object.fromEntries([...byKind].map(([kind, some]) => [kind, some.map(({ name }) => name)]));
  }

  hasListener(spec: Pick<ListenerSpec, 'name' | 'port'>): boolean {
    return this.#names.listener?.some((name) => isListener(name, spec)) === true;
  }

  hasRoute(id: string): boolean {
    return this.#names.route?.includes(id) === true;
  }

  /** Itself, or all nodes of its upstream. */
  hasNode(upstreamKey: string, node: NodeIdentity): boolean {
    const { upstream, node: nodes } = this.#names;
    return (
      upstream?.some((name) => isUpstream(name, upstreamKey)) === true ||
      nodes?.some((name) => isNode(name, node)) === true
    );
  }
}
