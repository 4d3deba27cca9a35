/** What is kept under one path: text, or values by key. */
export type Secret = string | Readonly<Record<string, unknown>>;

/** A place that secrets are read from. */
export interface SecretSource {
  /**
   * Reads a secret with all of its keys.
   * Rejects with `SECRET_NOT_FOUND`, `SECRET_DENIED`, `SECRET_UNREACHABLE`, `SECRET_INVALID` or
   * `SECRET_REFERENCE_INVALID`; no message has a token or a part of a secret in it.
   * @param signal ends the read; it rejects then, with anything.
   */
  read(path: string, signal: AbortSignal): Promise<Secret>;
}

/** A sort of source. Adding one: its file, its test, its line in `sources.ts`, its part of docs/config/secret.md. */
export interface SecretSourceKind {
  /** In references: `env`, or the manager, `vault`. */
  readonly name: string;
  /** Needs no `secrets` resource, and what it reads never changes while the gateway runs. */
  readonly isBuiltIn: boolean;
  /** @param config the `secrets` resource, checked; empty for one that is built in. */
  create(config: ManagerConfig, surroundings: Surroundings): SecretSource;
}

/** A `secrets` resource, with the manager's own names. */
export type ManagerConfig = Readonly<Record<string, unknown>>;

/** What sources find around them. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** PEM file with the authorities to trust. Absent: those of Node. */
  readonly caFile?: string;
}
