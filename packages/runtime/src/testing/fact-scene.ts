import type { DocumentChange } from '@apisix-ts/config';
import type { StreamPlugin } from '@apisix-ts/core';
import type { Endpoint } from '@apisix-ts/discovery';
import { FactCompiler } from '../facts/compiler.ts';
import type { HealthWatch } from '../facts/compiler.ts';
import type { FactChange } from '../facts/facts.ts';
import type { NameSource } from '../facts/name-users.ts';
import type { SlotSource } from '../facts/node-slots.ts';
import { unreadSecrets } from '../facts/secret-users.ts';
import type { UpstreamChecks } from '../health/checked-upstream.ts';

/** Counts the users of names and knows the addresses it was given. */
export class Names<Address = string> implements NameSource<Address> {
  readonly users = new Map<string, number>();
  readonly addresses = new Map<string, readonly Address[]>();

  follow(name: string): Promise<void> {
    this.users.set(name, (this.users.get(name) ?? 0) + 1);
    return Promise.resolve();
  }

  unfollow(name: string): void {
    const left = (this.users.get(name) ?? 0) - 1;
    if (left === 0) this.users.delete(name);
    else this.users.set(name, left);
  }

  addressesOf(name: string): readonly Address[] {
    return this.addresses.get(name) ?? [];
  }
}

/** Gives out slots and remembers which nodes have one. */
export class Slots implements SlotSource {
  readonly nodes = new Set<string>();

  slotOf(node: string): number {
    return [...this.nodes.add(node)].indexOf(node);
  }

  release(node: string): void {
    this.nodes.delete(node);
  }
}

/** A compiler with what is around it. */
export interface FactScene {
  readonly slots: Slots;
  readonly watched: ReadonlyMap<string, UpstreamChecks>;
  /** Those that ended, in order. */
  readonly unwatched: readonly string[];
  readonly names: Names;
  readonly compiler: FactCompiler;
  readonly logged: string[];
}

/** @param services the names of services there are; default: there is no discovery. */
export function openFactScene(
  services?: Names<Endpoint>,
  plugins: ReadonlyMap<string, StreamPlugin> = new Map(),
): FactScene {
  const names = new Names();
  const slots = new Slots();
  const watched = new Map<string, UpstreamChecks>();
  const unwatched: string[] = [];
  const health: HealthWatch = {
    follow: (key, checks) => watched.set(key, checks),
    unfollow: (key) => {
      if (watched.delete(key)) unwatched.push(key);
    },
  };
  const logged: string[] = [];
  return {
    names,
    watched,
    unwatched,
    slots,
    logged,
    compiler: new FactCompiler({
      names: { hosts: names, services },
      onLateName: () => {},
      secrets: unreadSecrets,
      slots,
      health,
      certificates: { set() {}, delete() {} },
      keyring: [],
      plugins,
      log: (_level, message) => logged.push(message),
    }),
  };
}

/** Of nodes with port 1. */
export function upstreamOf(...hosts: string[]): DocumentChange['document'] {
  return { type: 'roundrobin', nodes: hosts.map((host) => ({ host, port: 1, weight: 1 })) };
}

/** Changes with the facts of upstreams as a worker reads them. */
export function readFacts(changes: Iterable<FactChange>): readonly object[] {
  return Array.from(changes, (change) =>
    change.kind === 'upstream' && change.facts !== undefined
      ? { ...change, facts: JSON.parse(change.facts) as unknown }
      : change,
  );
}
