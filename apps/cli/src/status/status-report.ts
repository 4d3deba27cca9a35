import type { ConfigStatus } from '@apisix-ts/control';
import type { ReloadRecord } from '@apisix-ts/gateway/run-record';

/**
 * `serving`; `unclear`: there is a process, which does not answer, or not yet, or ends; `dead`: it is gone, and its pid
 * file is not; `stopped`: there is nothing.
 */
export type GatewayState = 'serving' | 'unclear' | 'dead' | 'stopped';

/** What `apisix status --json` prints. */
export interface StatusReport {
  readonly state: GatewayState;
  /** Why it is not `serving`. */
  readonly reason?: string;
  readonly home: string;
  /** Absent unless there is a process, as all that follows. */
  readonly pid?: number;
  /** Milliseconds since 1970. */
  readonly started?: number;
  readonly config?: string;
  readonly log?: string;
  readonly last_reload?: ReloadRecord | null;
  /** null: it is off. */
  readonly admin_api?: {
    readonly url: string;
    /** The key that the gateway made, and the file that it is in; absent when config.yaml has the keys. */
    readonly key_file?: string;
    /** Absent too when this user may not read it. */
    readonly key?: string;
  } | null;
  /** null: it is off, and nobody can be asked for what follows. */
  readonly control_api?: string | null;
  /** As `GET /v1/config/status` answers. */
  readonly gateway?: ConfigStatus;
  readonly health?: HealthSummary;
  /** What gets no new sessions, as `GET /v1/drain` answers. */
  readonly draining?: readonly ShownDrain[];
}

/** One of the first four has its name. */
export interface ShownDrain {
  readonly listener?: string;
  readonly route?: string;
  readonly upstream?: string;
  readonly node?: string;
  /** That it still has. */
  readonly sessions: number;
}

export interface HealthSummary {
  /** Upstreams under checks, and their nodes. */
  readonly upstreams: number;
  readonly nodes: number;
  /** Nodes that get no sessions: `upstreams/1 10.0.0.1:3306`. */
  readonly unhealthy: readonly string[];
}
