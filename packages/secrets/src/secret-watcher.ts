import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import type { WheelClock } from '@apisix-ts/core';
import { FollowedSecret } from './followed-secret.ts';
import type { ReadingOptions } from './followed-secret.ts';
import { readKey } from './read-key.ts';
import { parseReference } from './secret-reference.ts';
import type { SecretReference } from './secret-reference.ts';
import type { ManagerConfig, SecretSource, SecretSourceKind, Surroundings } from './secret-source.ts';
import { secretSourceKinds } from './sources.ts';
import { Turns } from './turns.ts';

export interface SecretWatcherOptions extends Surroundings {
  /** Milliseconds until a secret is read again, > 0. */
  readonly ttlMs: number;
  /** Milliseconds until a failed read is repeated, > 0. */
  readonly retryMs: number;
  /** What these references stand for is something else than before, or can be read for another reason than before. */
  readonly onChange: (references: readonly string[]) => void;
  readonly clock: WheelClock;
  /** Default: all there are. */
  readonly kinds?: readonly SecretSourceKind[];
}

/** What is known about a reference. */
export interface FoundSecret {
  /** What it stands for, or stood for last; undefined when that was never read. */
  readonly text: string | undefined;
  /** Why the last attempt to read it failed; undefined when it did not, or is the first and still under way. */
  readonly error: GatewayError | undefined;
}

/** Reads of one source under way at once. */
const READS_AT_ONCE = 16;

interface Followed {
  readonly reference: SecretReference;
  readonly secret: FollowedSecret;
  users: number;
}

/** What is read from one source: one that is slow holds no other up. */
interface SecretsOfSource {
  readonly turns: Turns;
  readonly byPath: Map<string, FollowedSecret>;
}

/**
 * Keeps what references in use stand for: each secret is read once for all its keys and users, when it is first
 * followed and again when its time is over. While reading fails the last answer stays. There is no timer for what
 * cannot change, and none when nothing is followed.
 */
export class SecretWatcher {
  readonly #kinds: readonly SecretSourceKind[];
  readonly #surroundings: Surroundings;
  readonly #onChange: SecretWatcherOptions['onChange'];
  readonly #reading: Omit<ReadingOptions, 'turns'>;
  readonly #sources = new Map<string, SecretSource>();
  /** By source, then by path. */
  readonly #secrets = new Map<string, SecretsOfSource>();
  /** By how they are written. */
  readonly #followed = new Map<string, Followed>();

  constructor(options: SecretWatcherOptions) {
    const { env, caFile, onChange, clock, ttlMs, retryMs, kinds = secretSourceKinds } = options;
    this.#kinds = kinds;
    this.#surroundings = { env, ...(caFile === undefined ? {} : { caFile }) };
    this.#onChange = onChange;
    this.#reading = { clock, ttlMs, retryMs };
    for (const kind of kinds) {
      if (kind.isBuiltIn) this.#sources.set(kind.name, kind.create({}, this.#surroundings));
    }
  }

  /**
   * Starts following a reference; one that is followed already is only counted once more.
   * @returns settles when it was read or could not be, which `find` then tells.
   */
  follow(written: string): Promise<void> {
    let followed = this.#followed.get(written);
    if (followed === undefined) {
      const reference = parsed(written);
      // `find` says what is wrong with it.
      if (isGatewayError(reference)) return Promise.resolve();
      followed = { reference, secret: this.#secretOf(reference), users: 0 };
      followed.secret.references.add(written);
      this.#followed.set(written, followed);
    }
    followed.users += 1;
    return followed.secret.answered;
  }

  /** Ends one `follow`. A secret is forgotten with its last user. */
  unfollow(written: string): void {
    const followed = this.#followed.get(written);
    if (followed === undefined) return;
    followed.users -= 1;
    if (followed.users > 0) return;
    const { secret, reference } = followed;
    this.#followed.delete(written);
    secret.references.delete(written);
    if (secret.references.size > 0) return;
    secret.stop();
    const ofSource = this.#secrets.get(reference.source);
    ofSource?.byPath.delete(secret.path);
    if (ofSource?.byPath.size === 0) this.#secrets.delete(reference.source);
  }

  /** What a followed reference stands for. */
  find(written: string): FoundSecret {
    const followed = this.#followed.get(written);
    if (followed === undefined) {
      const reference = parsed(written);
      return { text: undefined, error: isGatewayError(reference) ? reference : undefined };
    }
    const { secret, error } = followed.secret;
    if (secret === undefined) return { text: undefined, error };
    try {
      return { text: readKey(secret, followed.reference), error };
    } catch (failure) {
      if (!isGatewayError(failure)) throw failure;
      return { text: undefined, error: failure };
    }
  }

  /**
   * Takes a manager over, or, without `config`, forgets it and all that was read from it.
   * @param source `vault/1`.
   * @returns settles when everything that is followed was read from it; undefined when there is nothing to wait for.
   */
  configure(source: string, config: ManagerConfig | undefined): Promise<unknown> | undefined {
    const kind = this.#kindOf(source);
    if (config === undefined || kind === undefined) this.#sources.delete(source);
    else this.#sources.set(source, kind.create(config, this.#surroundings));
    const secrets = this.#secretsOf(source);
    for (const secret of secrets) this.#begin(source, secret);
    return secrets.length === 0 ? undefined : Promise.all(secrets.map(({ answered }) => answered));
  }

  /** The references to a source that are followed. */
  referencesTo(source: string): readonly string[] {
    return this.#secretsOf(source).flatMap(({ references }) => [...references]);
  }

  /** Ends every read and forgets everything. Idempotent. */
  close(): void {
    for (const { secret } of this.#followed.values()) secret.stop();
    this.#followed.clear();
    this.#secrets.clear();
  }

  #secretOf({ source, path }: SecretReference): FollowedSecret {
    const ofSource = this.#secrets.get(source) ?? { turns: new Turns(READS_AT_ONCE), byPath: new Map() };
    this.#secrets.set(source, ofSource);
    let secret = ofSource.byPath.get(path);
    if (secret === undefined) {
      const { turns, byPath } = ofSource;
      const onChange = ({ references }: FollowedSecret): void => this.#onChange([...references]);
      secret = new FollowedSecret(path, { ...this.#reading, turns }, onChange);
      byPath.set(path, secret);
      this.#begin(source, secret);
    }
    return secret;
  }

  #secretsOf(source: string): readonly FollowedSecret[] {
    return [...(this.#secrets.get(source)?.byPath.values() ?? [])];
  }

  #begin(name: string, secret: FollowedSecret): void {
    const source = this.#sources.get(name);
    const kind = this.#kindOf(name);
    if (source !== undefined && kind !== undefined) secret.readFrom(source, kind.isBuiltIn);
    else secret.forget(kind === undefined ? this.#noKind(name) : noManager(name));
  }

  #kindOf(source: string): SecretSourceKind | undefined {
    const [manager = ''] = source.split('/');
    return this.#kinds.find(({ name, isBuiltIn }) => name === manager && isBuiltIn === (source === manager));
  }

  #noKind(source: string): GatewayError {
    const [manager = ''] = source.split('/');
    const known = this.#kinds.filter(({ isBuiltIn }) => !isBuiltIn).map(({ name }) => name);
    return new GatewayError(
      'SECRET_MANAGER_UNAVAILABLE',
      `expected a manager that this gateway can read from (${known.join(', ')}), found "${manager}"`,
    );
  }
}

function parsed(written: string): SecretReference | GatewayError {
  try {
    return parseReference(written);
  } catch (error) {
    if (isGatewayError(error)) return error;
    throw error;
  }
}

function noManager(source: string): GatewayError {
  return new GatewayError('SECRET_MANAGER_UNKNOWN', `expected the resource "secrets/${source}", found none`);
}
