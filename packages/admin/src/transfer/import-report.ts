/** What an import changes, or would change. Resources are told by their keys: `stream_routes/mysql`. */
export interface ImportReport {
  readonly created: readonly string[];
  readonly updated: readonly UpdatedResource[];
  readonly deleted: readonly string[];
  /** In the store, not in what is imported, and left alone. */
  readonly kept: readonly string[];
  /** How many are the same in both. */
  readonly unchanged: number;
  /** What is stored and surely needs a look, a sentence each. */
  readonly warnings: readonly string[];
}

export interface UpdatedResource {
  readonly key: string;
  readonly changes: readonly FieldChange[];
}

/** One member of a resource. */
export interface FieldChange {
  /** Where it is: `upstream.nodes[0].weight`. */
  readonly path: string;
  /** Absent: it was not there. */
  readonly from?: unknown;
  /** Absent: it goes. */
  readonly to?: unknown;
}

/** Why one resource cannot be imported. */
export interface ImportFault {
  readonly key: string;
  /** The member at fault, within the resource. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}
