/** The answer of a check: the document to work with, or the first thing that is wrong with it. */
export type CheckResult<T = unknown> =
  | {
      readonly ok: true;
      /** A deep copy with the schema's defaults in it; what was checked is never changed. */
      readonly value: T;
    }
  | CheckFailure;

export interface CheckFailure {
  readonly ok: false;
  /** In APISIX's words: `property "port" validation failed: expected 0 to be at least 1`. */
  readonly message: string;
  /** Names and zero-based positions from the root to the value at fault, also when it is missing or surplus. */
  readonly path: readonly (string | number)[];
  /** What would have been right: `integer`, `at least 1`, `one of "a", "b"`. */
  readonly expected?: string;
  /** What was there: a JSON type for a wrong type, otherwise the value as JSON. Absent when nothing was. */
  readonly found?: string;
}
