import type {
  Document,
  DocumentChange,
  ServiceDocument,
  SslDocument,
  StreamRouteDocument,
  UpstreamDocument,
} from '@apisix-ts/config';
import {
  compileRoute,
  compileService,
  compileUpstream,
  nodeNames,
  routeFaults,
  upstreamFault,
  upstreamKey,
  upstreamShortcoming,
} from './compile.ts';
import { compileCertificate, compileClientPair, compileUpstreamTls } from './certificates.ts';
import type { Compiled } from './certificates.ts';
import type { FactChange, KeyPairFacts, UpstreamFacts, UpstreamTlsFacts } from './facts.ts';
import type { UpstreamChecks } from '../health/checked-upstream.ts';
import type { Log } from '../log.ts';
import { NodeSlots } from './node-slots.ts';
import type { SlotSource } from './node-slots.ts';

/** Where the addresses of node names come from; `NameWatcher` of the discovery package is one. */
export interface NameSource {
  /** Counts one more user of a name. Settles with its first answer or failure. */
  follow(name: string): Promise<void>;
  unfollow(name: string): void;
  /** The last good answer; empty when there is none. */
  addressesOf(name: string): readonly string[];
}

/** Who watches the nodes of upstreams with checks; `HealthMonitor` is one. */
export interface HealthWatch {
  /** First time and every change. */
  follow(upstreamKey: string, upstream: UpstreamChecks): void;
  /** Also of one that was never followed. */
  unfollow(upstreamKey: string): void;
}

export interface FactCompilerOptions {
  readonly names: NameSource;
  readonly slots: SlotSource;
  readonly health: HealthWatch;
  /** `apisix.data_encryption.keyring`: opens private keys. */
  readonly keyring: readonly string[];
  readonly log: Log;
}

/** An upstream with names among its nodes. */
interface NamedUpstream {
  readonly upstream: UpstreamDocument;
  readonly names: ReadonlySet<string>;
}

/** Turns document changes into facts, and changed addresses too: it remembers which upstream uses which name. */
export class FactCompiler {
  readonly #names: NameSource;
  readonly #slots: NodeSlots;
  readonly #health: HealthWatch;
  readonly #keyring: readonly string[];
  /** Certificates to show to upstreams, by id, and the upstreams that name one. */
  readonly #clientPairs = new Map<string, KeyPairFacts>();
  readonly #usersOfPair = new Map<string, UpstreamDocument>();
  readonly #log: Log;
  /** Embedded upstreams workers know of, so that their end can be told. */
  readonly #embedded = new Set<string>();
  readonly #named = new Map<string, NamedUpstream>();
  readonly #usersOfName = new Map<string, Set<string>>();

  constructor({ names, slots, health, keyring, log }: FactCompilerOptions) {
    this.#keyring = keyring;
    this.#names = names;
    this.#slots = new NodeSlots(slots);
    this.#health = health;
    this.#log = log;
  }

  /**
   * Follows the names that the changes bring and lets go of those that they drop.
   * @returns settles with the first answers for new names; undefined when there are none to wait for.
   */
  adopt(changes: readonly DocumentChange[]): Promise<unknown> | undefined {
    const firstAnswers: Promise<void>[] = [];
    // What goes comes last: its names may be somebody else's now, and must not be forgotten in between.
    const present = changes.filter(({ document }) => document !== undefined);
    const gone = changes.filter(({ document }) => document === undefined);
    for (const change of [...present, ...gone]) {
      if (!servedKinds.has(change.kind)) continue;
      const key = upstreamKey(change.kind, change.id);
      const upstream = upstreamOf(change);
      this.#report(key, change.document, upstream);
      this.#adoptUpstream(key, upstream, firstAnswers);
    }
    return firstAnswers.length === 0 ? undefined : Promise.all(firstAnswers);
  }

  /** The facts of changes that were adopted, made one by one. Certificates come first: upstreams may name one. */
  *compile(changes: readonly DocumentChange[]): Iterable<FactChange> {
    const isCertificate = ({ kind }: DocumentChange): boolean => kind === 'ssls';
    for (const change of changes) if (isCertificate(change)) yield* this.#compileChange(change);
    for (const change of changes) if (!isCertificate(change)) yield* this.#compileChange(change);
  }

  /** The facts of the upstreams that use a name, after its addresses changed. */
  compileUsersOf(name: string): readonly FactChange[] {
    const facts: FactChange[] = [];
    for (const key of this.#usersOfName.get(name) ?? []) {
      const named = this.#named.get(key);
      if (named !== undefined) facts.push(this.#upstreamFacts(key, named.upstream));
    }
    return facts;
  }

  #report(key: string, document: Document | undefined, upstream: UpstreamDocument | undefined): void {
    const shortcomings = [
      ...(document === undefined ? [] : routeFaults(document)),
      upstream && upstreamShortcoming(upstream),
    ];
    for (const reason of shortcomings) {
      if (reason === undefined) continue;
      this.#log('warn', 'a resource does not do all that it says', { resource: key, reason });
    }
    const fault = upstream && upstreamFault(upstream);
    if (fault !== undefined) this.#log('error', 'an upstream cannot serve', { upstream: key, reason: fault });
  }

  #compileChange(change: DocumentChange): FactChange[] {
    const { id, document } = change;
    const key = upstreamKey(change.kind, id);
    switch (change.kind) {
      case 'upstreams':
        return [this.#upstreamFacts(key, upstreamOf(change))];
      case 'services': {
        const service: ServiceDocument | undefined = document;
        return [
          ...this.#embeddedFacts(key, upstreamOf(change)),
          { kind: 'service', key: id, facts: service && compileService(id, service) },
        ];
      }
      case 'stream_routes': {
        const route = document as StreamRouteDocument | undefined; // the snapshot only hands out checked documents
        return [
          ...this.#embeddedFacts(key, upstreamOf(change)),
          { kind: 'route', key: id, facts: route && compileRoute(id, route) },
        ];
      }
      case 'ssls':
        return this.#certificateFacts(id, document as SslDocument | undefined); // checked, like the others
      default:
        return [];
    }
  }

  /** A certificate for clients is a fact of its own; one for upstreams changes those that name it. */
  #certificateFacts(id: string, ssl: SslDocument | undefined): FactChange[] {
    const isForUpstreams = ssl?.type === 'client' && ssl.status === 1;
    const pair = isForUpstreams ? this.#use(`ssls/${id}`, compileClientPair(ssl, this.#keyring)) : undefined;
    const hadPair = this.#clientPairs.delete(id);
    if (pair !== undefined) this.#clientPairs.set(id, pair);
    const isForClients = ssl?.type === 'server' && ssl.status === 1;
    const facts = isForClients ? this.#use(`ssls/${id}`, compileCertificate(ssl, this.#keyring)) : undefined;
    const users = hadPair || pair !== undefined ? [...this.#usersOfPair] : [];
    return [
      { kind: 'certificate', key: id, facts },
      ...users.map(([key, upstream]) => this.#upstreamFacts(key, upstream)),
    ];
  }

  /** Logs why there are no facts. */
  #use<T>(resource: string, { facts, fault }: Compiled<T>): T | undefined {
    if (fault !== undefined) this.#log('error', 'a certificate cannot be used', { resource, reason: fault });
    return facts;
  }

  /** @returns undefined for an upstream without TLS; `null` for one whose TLS cannot be had: it must not serve in clear. */
  #tlsFacts(key: string, upstream: UpstreamDocument): UpstreamTlsFacts | undefined | null {
    if (upstream.tls?.client_cert_id === undefined) this.#usersOfPair.delete(key);
    else this.#usersOfPair.set(key, upstream);
    if (upstream.scheme !== 'tls') return undefined;
    const clientPairOf = (id: string): KeyPairFacts | undefined => this.#clientPairs.get(id);
    return this.#use(key, compileUpstreamTls(upstream, clientPairOf, this.#keyring)) ?? null;
  }

  #embeddedFacts(key: string, upstream: UpstreamDocument | undefined): FactChange[] {
    if (upstream === undefined)
      return this.#embedded.delete(key) ? [this.#upstreamFacts(key, undefined)] : [];
    this.#embedded.add(key);
    return [this.#upstreamFacts(key, upstream)];
  }

  #upstreamFacts(key: string, upstream: UpstreamDocument | undefined): FactChange {
    const assignSlots: Parameters<typeof compileUpstream>[2] = (nodes) => this.#slots.assign(key, nodes);
    if (upstream === undefined) {
      assignSlots([]);
      this.#usersOfPair.delete(key);
    }
    const tls = upstream && this.#tlsFacts(key, upstream);
    const addressesOf = (name: string): readonly string[] => this.#names.addressesOf(name);
    // Without its TLS it keeps its place and has no nodes.
    const facts =
      upstream &&
      (tls === null
        ? { ...compileUpstream(upstream, addressesOf, () => assignSlots([]), undefined), nodes: [] }
        : compileUpstream(upstream, addressesOf, assignSlots, tls));
    this.#watch(key, upstream, facts);
    return { kind: 'upstream', key, facts };
  }

  #watch(key: string, upstream: UpstreamDocument | undefined, facts: UpstreamFacts | undefined): void {
    if (upstream?.checks === undefined || facts === undefined) {
      this.#health.unfollow(key);
      return;
    }
    const {
      checks,
      pass_host: passHost,
      upstream_host: hostHeader,
      source_address: sourceAddresses,
    } = upstream;
    const isRewritten = passHost === 'rewrite' && hostHeader !== undefined;
    this.#health.follow(key, {
      checks,
      nodes: facts.nodes,
      ...(isRewritten ? { hostHeader } : {}),
      ...(sourceAddresses === undefined ? {} : { sourceAddresses }),
    });
  }

  #adoptUpstream(key: string, upstream: UpstreamDocument | undefined, firstAnswers: Promise<void>[]): void {
    const former = this.#named.get(key);
    const names = upstream === undefined ? NO_NAMES : nodeNames(upstream);
    if (former === undefined && names.size === 0) return;

    // New names first: one that stays must not be forgotten in between.
    for (const name of names) {
      if (former?.names.has(name) !== true) this.#addUser(name, key, firstAnswers);
    }
    for (const name of former?.names ?? []) {
      if (!names.has(name)) this.#removeUser(name, key);
    }
    if (upstream === undefined || names.size === 0) this.#named.delete(key);
    else this.#named.set(key, { upstream, names });
  }

  #addUser(name: string, key: string, firstAnswers: Promise<void>[]): void {
    const users = this.#usersOfName.get(name) ?? new Set();
    this.#usersOfName.set(name, users.add(key));
    firstAnswers.push(this.#names.follow(name));
  }

  #removeUser(name: string, key: string): void {
    const users = this.#usersOfName.get(name);
    users?.delete(key);
    if (users?.size === 0) this.#usersOfName.delete(name);
    this.#names.unfollow(name);
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Changes of other kinds do not reach connections. */
const servedKinds: ReadonlySet<string> = new Set(['upstreams', 'services', 'stream_routes']);

/** The upstream that a document is or has. */
function upstreamOf({ kind, document }: DocumentChange): UpstreamDocument | undefined {
  if (document === undefined) return undefined;
  // The snapshot only hands out checked documents.
  if (kind === 'upstreams') return document as unknown as UpstreamDocument;
  return document['upstream'] as UpstreamDocument | undefined;
}
