import { listenerName, streamListeners } from '@apisix-ts/config';
import type { Settings } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import { MAX_LISTENERS } from './shared-counters.ts';
import type { ListenerSpec } from './workers/worker-link.ts';

/** The listeners of a gateway: those that are open, and the place among the shared counters that each ever had. */
export class ListenerTable {
  readonly #slots = new Map<string, number>();
  #open: readonly ListenerSpec[] = [];

  get open(): readonly ListenerSpec[] {
    return this.#open;
  }

  /** Every listener there has been and its counters' place: a counter goes on after its listener was closed. */
  get slots(): ReadonlyMap<string, number> {
    return this.#slots;
  }

  /** The listeners that these settings ask for. @throws GatewayError `SETTINGS_INVALID` when there are too many. */
  plan(settings: Settings): readonly ListenerSpec[] {
    const trusted = settings.nginx_config.stream.real_ip_from ?? [];
    return streamListeners(settings).map(
      ({ proxyProtocol, proxyProtocolToUpstream, tlsPassthrough, ...rest }) => {
        const name = listenerName(rest);
        const heads = { proxyProtocol, trusted, tlsPassthrough, proxyProtocolToUpstream };
        return { ...rest, name, slot: this.#slotOf(name), heads };
      },
    );
  }

  /** The ones of a plan that are not open yet. */
  added(plan: readonly ListenerSpec[]): readonly ListenerSpec[] {
    const names = new Set(this.#open.map((spec) => spec.name));
    return plan.filter((spec) => !names.has(spec.name));
  }

  /** To be told when a plan is in effect. */
  adopt(plan: readonly ListenerSpec[]): void {
    this.#open = plan;
  }

  #slotOf(name: string): number {
    const slot = this.#slots.get(name) ?? this.#slots.size;
    if (slot >= MAX_LISTENERS) {
      throw new GatewayError(
        'SETTINGS_INVALID',
        `apisix.stream_proxy: expected at most ${MAX_LISTENERS} different listeners between two starts, found one more: ${name}`,
      );
    }
    this.#slots.set(name, slot);
    return slot;
  }
}
