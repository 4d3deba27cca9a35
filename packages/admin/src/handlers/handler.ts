import type {
  Document,
  DocumentView,
  PutOptions,
  ResourceKind,
  Revision,
  StoreWriter,
} from '@apisix-ts/config';
import type { Answer } from '../answer.ts';
import type { Envelope } from '../envelope.ts';
import type { PluginFacts } from '../plugin-facts.ts';
import type { ResourceStore } from '../resource-store.ts';
import type { WriteGate } from '../write-gate.ts';

/** A request that passed everything that all endpoints have in common. */
export interface Call {
  /** Upper case. */
  readonly method: string;
  /** Where the store keeps the resource, without its id. */
  readonly directory: string;
  /** From the path. */
  readonly id: string | undefined;
  /** The segments after the id. */
  readonly subPath: readonly string[];
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined when there was no body. */
  readonly body: unknown;
  /** What `?ttl=` says, for a write. */
  readonly lease: PutOptions;
  /** The header: what the client believes the resource to be. */
  readonly ifMatch?: string | undefined;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

/** By method. */
export type Handlers = Readonly<Partial<Record<string, Handler>>>;

/** What handlers work with. */
export interface AdminContext {
  readonly kinds: readonly ResourceKind[];
  readonly plugins: () => readonly PluginFacts[];
  readonly resources: ResourceStore;
  /** The store below `resources`. */
  readonly writer: StoreWriter;
  readonly documents: DocumentView;
  /** Resolves once `documents` shows the revision; rejects when `signal` aborts before that. */
  readonly applied: (revision: Revision, signal: AbortSignal) => Promise<void>;
  /** How long a deletion waits for that, in milliseconds. */
  readonly appliedTimeoutMs: number;
  /** The shape of answers at the moment. */
  readonly envelope: () => Envelope;
  readonly gate: WriteGate;
  /** Encrypts private keys in the store; empty: they are stored as they are. */
  readonly keyring: readonly string[];
  /** What is wrong with a document by itself, with the words `invalid configuration: ` where they belong. */
  readonly fault: (kind: ResourceKind, document: Document) => string | undefined;
  /** The same for one that comes from another store, where other products may have written it. */
  readonly storedFault: (kind: ResourceKind, document: Document) => string | undefined;
  /** Unix seconds. */
  nowSeconds(): number;
  readonly reloadPlugins: () => Promise<void>;
}
