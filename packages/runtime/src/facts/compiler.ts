import type {
  Document,
  DocumentChange,
  PluginsField,
  ServiceDocument,
  SslDocument,
  StreamRouteDocument,
  UpstreamDocument,
} from '@apisix-ts/config';
import type { StreamPlugin } from '@apisix-ts/core';
import type { Endpoint } from '@apisix-ts/discovery';
import {
  compileRoute,
  compileService,
  compileUpstream,
  namesOf,
  upstreamFault,
  upstreamKey,
  upstreamShortcoming,
} from './compile.ts';
import type { NameKind, NodeAddresses } from './compile.ts';
import { compileCertificate, compileClientPair, compileUpstreamTls, referencesOf } from './certificates.ts';
import type { FactChange, KeyPairFacts, UpstreamFacts, UpstreamTlsFacts } from './facts.ts';
import { PluginUpstreams, pluginUpstreamKeys } from './plugin-upstreams.ts';
import { compilePlugins, pluginFaults } from './plugins.ts';
import type { UpstreamChecks } from '../health/checked-upstream.ts';
import type { Log } from '../log.ts';
import { NodeSlots } from './node-slots.ts';
import type { SlotSource } from './node-slots.ts';
import { NameUsers, unresolvedNames } from './name-users.ts';
import type { NameSource } from './name-users.ts';
import { SecretUsers } from './secret-users.ts';
import type { Fault, SecretValues } from './secret-users.ts';
import { UpstreamUses } from './upstream-uses.ts';

/** Who watches the nodes of upstreams with checks while these are in use; `HealthMonitor` is one. */
export interface HealthWatch {
  /** First time and every change. */
  follow(upstreamKey: string, upstream: UpstreamChecks): void;
  /** Also of one that was never followed. */
  unfollow(upstreamKey: string): void;
}

/** Who watches how long certificates are valid; `CertificateDates` is one. */
export interface CertificateWatch {
  /** First time and every change. */
  set(resource: string, pairs: readonly KeyPairFacts[], serverNames: readonly string[]): void;
  /** Also of one that was never set. */
  delete(resource: string): void;
}

export interface FactCompilerOptions {
  readonly names: {
    readonly hosts: NameSource;
    /** For upstreams with `discovery_type: dns`; undefined: this gateway has none. */
    readonly services?: NameSource<Endpoint> | undefined;
  };
  /** The first answer for a name came after the facts of upstreams that use it. */
  readonly onLateName: (kind: NameKind, name: string) => void;
  readonly secrets: SecretValues;
  readonly slots: SlotSource;
  readonly health: HealthWatch;
  readonly certificates: CertificateWatch;
  /** `apisix.data_encryption.keyring`: opens private keys. */
  readonly keyring: readonly string[];
  /** Those there are at the moment, by name. */
  readonly plugins: ReadonlyMap<string, StreamPlugin>;
  readonly log: Log;
}

/**
 * Turns document changes into facts, and changed addresses and secrets too: it remembers which resource uses which name
 * and which reference.
 */
export class FactCompiler {
  readonly #names: { readonly host: NameUsers; readonly service: NameUsers<Endpoint> };
  readonly #discoveries: ReadonlySet<string>;
  readonly #secrets: SecretValues;
  readonly #secretUsers: SecretUsers;
  readonly #slots: NodeSlots;
  readonly #health: HealthWatch;
  readonly #uses = new UpstreamUses();
  /** Upstreams with checks, in use or not. */
  readonly #checked = new Map<string, UpstreamChecks>();
  /** Those whose checks or nodes may have changed since health was last told. */
  readonly #touched = new Set<string>();
  readonly #certificates: CertificateWatch;
  readonly #keyring: readonly string[];
  readonly #plugins: ReadonlyMap<string, StreamPlugin>;
  /** As they were adopted, and as they were compiled last. */
  readonly #withinPlugins: Readonly<Record<'adopted' | 'compiled', PluginUpstreams>>;
  /** Certificates to show to upstreams, by id, and the upstreams that name one. */
  readonly #clientPairs = new Map<string, KeyPairFacts>();
  readonly #usersOfPair = new Map<string, UpstreamDocument>();
  readonly #log: Log;
  /** Embedded upstreams workers know of, so that their end can be told. */
  readonly #embedded = new Set<string>();

  constructor({
    names,
    onLateName,
    secrets,
    slots,
    health,
    certificates,
    keyring,
    plugins,
    log,
  }: FactCompilerOptions) {
    this.#keyring = keyring;
    this.#plugins = plugins;
    this.#withinPlugins = { adopted: new PluginUpstreams(plugins), compiled: new PluginUpstreams(plugins) };
    this.#names = {
      host: new NameUsers(names.hosts, (name) => onLateName('host', name)),
      service: new NameUsers(names.services ?? unresolvedNames, (name) => onLateName('service', name)),
    };
    this.#discoveries = new Set(names.services === undefined ? [] : ['dns']);
    this.#secrets = secrets;
    this.#secretUsers = new SecretUsers(secrets, log);
    this.#slots = new NodeSlots(slots);
    this.#health = health;
    this.#certificates = certificates;
    this.#log = log;
  }

  /** Resources in effect whose certificates cannot be had. */
  get faults(): readonly Fault[] {
    return this.#secretUsers.faults;
  }

  /**
   * Follows the names and references that the changes bring and lets go of those that they drop.
   * @returns settles with the first answers for new ones; undefined when there are none to wait for.
   */
  adopt(changes: readonly DocumentChange[]): Promise<unknown> | undefined {
    const firstAnswers: Promise<unknown>[] = [];
    for (const { kind, id, document } of changes) {
      if (kind !== 'secrets') continue;
      const answers = this.#secrets.configure(id, document);
      if (answers !== undefined) firstAnswers.push(answers);
    }
    // What goes comes last: its names and secrets may be somebody else's now, and must not be forgotten in between.
    const all = changes
      .filter(({ kind }) => servedKinds.has(kind))
      .flatMap((change) => [change, ...this.#withinPlugins.adopted.changesWith(change)]);
    for (const change of [...all.filter(mayBring), ...all.filter((each) => !mayBring(each))]) {
      const key = upstreamKey(change.kind, change.id);
      const upstream = upstreamOf(change);
      this.#report(key, change.document, upstream);
      const names = upstream === undefined ? NO_NAMES : namesOf(upstream, this.#discoveries);
      this.#names.host.adopt(key, upstream, names.host, firstAnswers);
      this.#names.service.adopt(key, upstream, names.service, firstAnswers);
      this.#secretUsers.adopt(key, change, referencesOf(change, upstream), firstAnswers);
    }
    return firstAnswers.length === 0 ? undefined : Promise.all(firstAnswers);
  }

  /** The facts that a batch makes others: those of its changes, and of what uses a secret of a manager among them. */
  *compileBatch(changes: readonly DocumentChange[]): Iterable<FactChange> {
    yield* this.compile(changes);
    const managers = changes.filter(({ kind }) => kind === 'secrets');
    yield* this.compileUsersOfSecrets(managers.flatMap(({ id }) => this.#secrets.referencesTo(id)));
  }

  /** The facts of changes that were adopted, made one by one. Certificates come first: upstreams may name one. */
  *compile(changes: readonly DocumentChange[]): Iterable<FactChange> {
    const isCertificate = ({ kind }: DocumentChange): boolean => kind === 'ssls';
    for (const change of changes) if (isCertificate(change)) yield* this.#compileChange(change);
    for (const change of changes) if (!isCertificate(change)) yield* this.#compileChange(change);
    this.#watchTouched();
  }

  /** The facts of the upstreams that use a name, after its addresses changed. */
  compileUsersOf(kind: NameKind, name: string): readonly FactChange[] {
    const facts = this.#names[kind]
      .upstreamsWith(name)
      .map(([key, upstream]) => this.#upstreamFacts(key, upstream));
    this.#watchTouched();
    return facts;
  }

  /** The facts of the resources that use one of these references, after what it stands for changed. */
  compileUsersOfSecrets(references: readonly string[]): readonly FactChange[] {
    const facts = this.#secretUsers
      .changesWith(references)
      .flatMap((change) =>
        change.kind === 'ssls'
          ? this.#compileChange(change)
          : this.#upstreamFacts(upstreamKey(change.kind, change.id), upstreamOf(change)),
      );
    this.#watchTouched();
    return facts;
  }

  #report(key: string, document: Document | undefined, upstream: UpstreamDocument | undefined): void {
    const shortcomings = [
      ...pluginFaults(document && pluginsOf(document), this.#plugins),
      upstream && upstreamShortcoming(upstream),
    ];
    for (const reason of shortcomings) {
      if (reason === undefined) continue;
      this.#log('warn', 'a resource does not do all that it says', { resource: key, reason });
    }
    const fault = upstream && upstreamFault(upstream, this.#discoveries);
    if (fault !== undefined) this.#log('error', 'an upstream cannot serve', { upstream: key, reason: fault });
  }

  #compileChange(change: DocumentChange): FactChange[] {
    const { id, document } = change;
    switch (change.kind) {
      case 'upstreams':
        return [this.#upstreamFacts(upstreamKey(change.kind, id), upstreamOf(change))];
      case 'services': {
        const service: ServiceDocument | undefined = document;
        const facts = service && {
          ...compileService(id, service),
          ...compilePlugins(service.plugins, this.#plugins),
        };
        this.#uses.setService(id, facts, pluginUpstreamKeys(change, this.#plugins));
        return this.#withEmbedded(change, { kind: 'service', key: id, facts });
      }
      case 'stream_routes': {
        const route = document as StreamRouteDocument | undefined; // the snapshot only hands out checked documents
        const facts = route && {
          ...compileRoute(id, route),
          ...compilePlugins(route.plugins, this.#plugins),
        };
        this.#uses.setRoute(id, facts, pluginUpstreamKeys(change, this.#plugins));
        return this.#withEmbedded(change, { kind: 'route', key: id, facts });
      }
      case 'plugin_metadata': {
        const { id: _, ...metadata } = document ?? {};
        return [{ kind: 'plugin-metadata', key: id, facts: document && { metadata } }];
      }
      case 'ssls':
        return this.#certificateFacts(id, document as SslDocument | undefined); // checked, like the others
      default:
        return [];
    }
  }

  /** A certificate for clients is a fact of its own; one for upstreams changes those that name it. */
  #certificateFacts(id: string, ssl: SslDocument | undefined): FactChange[] {
    const resource = `ssls/${id}`;
    const used = ssl?.status === 1 ? ssl : undefined;
    if (used === undefined) this.#secretUsers.drop(resource);
    const pair =
      used?.type === 'client'
        ? this.#secretUsers.compile(resource, (read) => compileClientPair(used, this.#keyring, read))
        : undefined;
    const hadPair = this.#clientPairs.delete(id);
    if (pair !== undefined) this.#clientPairs.set(id, pair);
    const facts =
      used?.type === 'server'
        ? this.#secretUsers.compile(resource, (read) => compileCertificate(used, this.#keyring, read))
        : undefined;
    const pairs = facts?.pairs ?? (pair === undefined ? [] : [pair]);
    if (pairs.length === 0) this.#certificates.delete(resource);
    else this.#certificates.set(resource, pairs, facts?.serverNames ?? []);
    const users = hadPair || pair !== undefined ? [...this.#usersOfPair] : [];
    return [
      { kind: 'certificate', key: id, facts },
      ...users.map(([key, upstream]) => this.#upstreamFacts(key, upstream)),
    ];
  }

  /** @returns undefined for an upstream without TLS; `null` for one whose TLS cannot be had: it must not serve in clear. */
  #tlsFacts(key: string, upstream: UpstreamDocument): UpstreamTlsFacts | undefined | null {
    if (upstream.tls?.client_cert_id === undefined) this.#usersOfPair.delete(key);
    else this.#usersOfPair.set(key, upstream);
    if (upstream.scheme !== 'tls') {
      this.#secretUsers.drop(key);
      return undefined;
    }
    const clientPairOf = (id: string): KeyPairFacts | undefined => this.#clientPairs.get(id);
    return (
      this.#secretUsers.compile(key, (read) =>
        compileUpstreamTls(upstream, clientPairOf, this.#keyring, read),
      ) ?? null
    );
  }

  /** A route or service with what is within it: before it what it has, and after it what only its plugins had before. */
  #withEmbedded(change: DocumentChange, facts: FactChange): FactChange[] {
    const own = this.#embeddedFacts(upstreamKey(change.kind, change.id), upstreamOf(change));
    const within = this.#withinPlugins.compiled
      .changesWith(change)
      .flatMap((each) => this.#embeddedFacts(upstreamKey(each.kind, each.id), upstreamOf(each)));
    const [present, gone] = [
      within.filter((each) => each.facts !== undefined),
      within.filter((each) => each.facts === undefined),
    ];
    return [...own, ...present, facts, ...gone];
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
      this.#secretUsers.drop(key);
    }
    const tls = upstream && this.#tlsFacts(key, upstream);
    const addresses: NodeAddresses = {
      ofHost: (name) => this.#names.host.addressesOf(name),
      ofService: (name) => this.#names.service.addressesOf(name),
    };
    // Without its TLS it keeps its place and has no nodes.
    const facts =
      upstream &&
      (tls === null
        ? { ...compileUpstream(upstream, addresses, () => assignSlots([]), undefined), nodes: [] }
        : compileUpstream(upstream, addresses, assignSlots, tls));
    const checked = upstream && facts && checksOf(upstream, facts);
    const hadChecks = this.#checked.delete(key);
    if (checked !== undefined) this.#checked.set(key, checked);
    if (hadChecks || checked !== undefined) this.#touched.add(key);
    return { kind: 'upstream', key, facts: facts && JSON.stringify(facts) };
  }

  /**
   * An upstream is watched while it has checks and sessions can get to it. Looked at after all of a change: a use that
   * moves from one route to another within it is none that ended.
   */
  #watchTouched(): void {
    for (const key of [...this.#touched, ...this.#uses.takeTouched()]) {
      const checked = this.#checked.get(key);
      if (checked !== undefined && this.#uses.isUsed(key)) this.#health.follow(key, checked);
      else this.#health.unfollow(key);
    }
    this.#touched.clear();
  }
}

function checksOf(upstream: UpstreamDocument, { nodes }: UpstreamFacts): UpstreamChecks | undefined {
  const { checks, pass_host: passHost, upstream_host: hostHeader, source_address: sources } = upstream;
  if (checks === undefined) return undefined;
  const isRewritten = passHost === 'rewrite' && hostHeader !== undefined;
  return {
    checks,
    nodes,
    ...(isRewritten ? { hostHeader } : {}),
    ...(sources === undefined ? {} : { sourceAddresses: sources }),
  };
}

const NO_NAMES: Readonly<Record<NameKind, ReadonlySet<string>>> = { host: new Set(), service: new Set() };

/** Changes of other kinds do not reach connections. */
const servedKinds: ReadonlySet<string> = new Set(['upstreams', 'services', 'stream_routes', 'ssls']);

/** Whether names or secrets may come with it, and not only go. */
function mayBring(change: DocumentChange): boolean {
  return change.kind === 'ssls' ? change.document !== undefined : upstreamOf(change) !== undefined;
}

/** Those of a route or service; other kinds that are served have none. */
function pluginsOf({ plugins }: Document): PluginsField | undefined {
  return plugins as PluginsField | undefined; // checked, like all of it
}

/** The upstream that a document is or has. */
function upstreamOf({ kind, document }: DocumentChange): UpstreamDocument | undefined {
  if (document === undefined) return undefined;
  // The snapshot only hands out checked documents.
  if (kind === 'upstreams') return document as unknown as UpstreamDocument;
  return document['upstream'] as UpstreamDocument | undefined;
}
