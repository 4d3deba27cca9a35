import { isReference } from '@apisix-ts/config';
import type { DocumentChange } from '@apisix-ts/config';
import type { ErrorCode, GatewayError } from '@apisix-ts/errors';
import type { FoundSecret, ManagerConfig } from '@apisix-ts/secrets';
import type { Log } from '../log.ts';
import { Uses } from './uses.ts';

/** Where what references stand for comes from; `SecretWatcher` of the secrets package is one. */
export interface SecretValues {
  /** Counts one more user of a reference. Settles when it was read or could not be. */
  follow(reference: string): Promise<void>;
  unfollow(reference: string): void;
  find(reference: string): FoundSecret;
  /** A manager appeared, changed or went: `vault/1`. Settles when all that is followed was read from it. */
  configure(source: string, config: ManagerConfig | undefined): Promise<unknown> | undefined;
  /** The references to a manager that are followed. */
  referencesTo(source: string): readonly string[];
}

/** Where nothing is served, nothing is read; so nothing is amiss either. */
export const unreadSecrets: SecretValues = {
  follow: () => Promise.resolve(),
  unfollow() {},
  find: () => ({ text: undefined, error: undefined }),
  configure: () => undefined,
  referencesTo: () => [],
};

/** What came of a document: facts, or why there are none. */
export type Compiled<T> =
  | { readonly facts: T; readonly fault?: undefined }
  | { readonly facts?: undefined; readonly fault: string };

/** What a text stands for: itself, unless it is a reference; undefined for one that is not known. */
export type ReadText = (text: string) => string | undefined;

/** A resource in effect whose certificate cannot be had, or not in its present version. */
export interface Fault {
  /** `ssls/1`, or the place of an upstream. */
  readonly resource: string;
  readonly reason: string;
  /** The reference that could not be read, and its error. */
  readonly secret?: string;
  readonly code?: ErrorCode;
  /** Is what it had before in use? */
  readonly hasPredecessor: boolean;
}

/** Remembers which resource uses which references, and what was good of them. */
export class SecretUsers {
  readonly #secrets: SecretValues;
  readonly #log: Log;
  readonly #uses = new Uses();
  /** Those that use any, as they were adopted last, by resource. */
  readonly #changes = new Map<string, DocumentChange>();
  /** By resource: the texts with which it could be used last. */
  readonly #lastGood = new Map<string, ReadonlyMap<string, string>>();
  readonly #faults = new Map<string, Fault>();

  constructor(secrets: SecretValues, log: Log) {
    this.#secrets = secrets;
    this.#log = log;
  }

  get faults(): readonly Fault[] {
    return [...this.#faults.values()];
  }

  /**
   * Follows the references that a resource has from now on, and lets go of the others.
   * @param firstAnswers takes what has to be waited for.
   */
  adopt(
    resource: string,
    change: DocumentChange,
    references: ReadonlySet<string>,
    firstAnswers: Promise<unknown>[],
  ): void {
    const { added, dropped } = this.#uses.set(resource, references);
    // New ones first: a secret of which another key is wanted must not be forgotten in between.
    for (const reference of added) firstAnswers.push(this.#secrets.follow(reference));
    for (const reference of dropped) this.#secrets.unfollow(reference);
    if (references.size > 0) this.#changes.set(resource, change);
    else this.#changes.delete(resource);
  }

  /** The resources, as they were adopted last, that use one of these references. */
  changesWith(references: readonly string[]): readonly DocumentChange[] {
    const resources = new Set(references.flatMap((reference) => this.#uses.usersOf(reference)));
    return [...resources].flatMap((resource) => this.#changes.get(resource) ?? []);
  }

  /**
   * Compiles with what references stand for now. If that is no good, with what was good last, unless the configuration
   * is at fault: then the gateway would be without it after its next start.
   * @returns undefined when there is no good version. Why, or why it is not the present one, is in `faults` and the log.
   */
  compile<T>(resource: string, build: (read: ReadText) => Compiled<T>): T | undefined {
    const used = new Map<string, string>();
    let failed: Failure | undefined;
    let isAwaited = false;
    const compiled = build((text) => {
      if (!isReference(text)) return text;
      const found = this.#secrets.find(text);
      if (found.error !== undefined) failed ??= { secret: text, error: found.error };
      isAwaited ||= found.error === undefined && found.text === undefined;
      if (found.text !== undefined) used.set(text, found.text);
      return found.text;
    });
    if (compiled.fault === undefined) {
      this.#keepGood(resource, used);
      this.#setFault(resource, failed && describe(resource, failed, true));
      return compiled.facts;
    }
    const former = this.#compileFormer(resource, failed, build);
    // It is compiled again when the first answer has come.
    if (failed === undefined && isAwaited) return former;
    const hasPredecessor = former !== undefined;
    this.#setFault(
      resource,
      failed === undefined
        ? { resource, reason: compiled.fault, hasPredecessor }
        : describe(resource, failed, hasPredecessor),
    );
    return former;
  }

  /** The resource is gone, or needs no certificate any more. */
  drop(resource: string): void {
    this.#lastGood.delete(resource);
    this.#faults.delete(resource);
  }

  #compileFormer<T>(
    resource: string,
    failed: Failure | undefined,
    build: (read: ReadText) => Compiled<T>,
  ): T | undefined {
    if (failed !== undefined && configurationCodes.has(failed.error.code)) this.#lastGood.delete(resource);
    const lastGood = this.#lastGood.get(resource);
    if (lastGood === undefined) return undefined;
    return build((text) => (isReference(text) ? lastGood.get(text) : text)).facts;
  }

  #keepGood(resource: string, used: ReadonlyMap<string, string>): void {
    const former = this.#lastGood.get(resource);
    if (used.size > 0) this.#lastGood.set(resource, used);
    else this.#lastGood.delete(resource);
    const changed = [...used].filter(([reference, text]) => (former?.get(reference) ?? text) !== text);
    if (changed.length === 0) return;
    this.#log('notice', 'a secret has a new value', {
      resource,
      secrets: changed.map(([reference]) => reference),
    });
  }

  #setFault(resource: string, fault: Fault | undefined): void {
    const former = this.#faults.get(resource);
    if (fault === undefined) {
      this.#faults.delete(resource);
      if (former !== undefined) this.#log('notice', 'a certificate can be used again', { resource });
      return;
    }
    this.#faults.set(resource, fault);
    if (former !== undefined && stateOf(former) === stateOf(fault)) return;
    const { hasPredecessor, ...fields } = fault;
    this.#log(
      'error',
      hasPredecessor ? 'a certificate cannot be renewed' : 'a certificate cannot be used',
      fields,
    );
  }
}

/** What an operator wrote is wrong: no answer that came before can stand in for it. */
const configurationCodes: ReadonlySet<ErrorCode> = new Set([
  'SECRET_REFERENCE_INVALID',
  'SECRET_MANAGER_UNKNOWN',
  'SECRET_MANAGER_UNAVAILABLE',
]);

interface Failure {
  readonly secret: string;
  readonly error: GatewayError;
}

function describe(resource: string, { secret, error }: Failure, hasPredecessor: boolean): Fault {
  return { resource, secret, code: error.code, reason: error.message, hasPredecessor };
}

/** Sentences of one code vary, as those of the system do. */
function stateOf({ secret, code, reason, hasPredecessor }: Fault): string {
  return [hasPredecessor, secret, code ?? reason].join(' ');
}
