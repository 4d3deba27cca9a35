/** One result of a probe or a session. */
export type HealthReport = 'success' | 'tcp_failure' | 'http_failure' | 'timeout';

/** A probe, or a session that was served anyway. */
export type ReportSource = 'active' | 'passive';

/** Sessions go to a node that is `healthy` or `mostly_healthy`. */
export type HealthStatus = 'healthy' | 'mostly_healthy' | 'mostly_unhealthy' | 'unhealthy';

/** Reports of each kind that decide: successes make healthy, any kind of failure makes unhealthy; 0 ignores the kind. */
export type HealthThresholds = Readonly<Record<HealthReport, number>>;

/**
 * What is known about the health of one node. It starts `healthy`. Each kind of report has one counter, whatever its
 * source; a success sets those of the failures to 0, and a failure that of the successes. Failures of different kinds
 * do not add up. Reports that say what is certain already are ignored, so counters stand still then.
 */
export class HealthTarget {
  readonly #thresholds: Readonly<Record<ReportSource, HealthThresholds>>;
  readonly #counters: Record<HealthReport, number> = {
    success: 0,
    tcp_failure: 0,
    http_failure: 0,
    timeout: 0,
  };
  #status: HealthStatus = 'healthy';

  /** @param thresholds apply to reports of that source only. */
  constructor(thresholds: Readonly<Record<ReportSource, HealthThresholds>>) {
    this.#thresholds = thresholds;
  }

  get status(): HealthStatus {
    return this.#status;
  }

  /** May sessions go to it? */
  get isHealthy(): boolean {
    return this.#status === 'healthy' || this.#status === 'mostly_healthy';
  }

  /** Reports that count towards a threshold, by kind. */
  get counters(): Readonly<Record<HealthReport, number>> {
    return this.#counters;
  }

  /** @returns what `isHealthy` turned into, or undefined when it stayed as it was. */
  report(kind: HealthReport, source: ReportSource): 'healthy' | 'unhealthy' | undefined {
    const threshold = this.#thresholds[source][kind];
    const verdict = kind === 'success' ? 'healthy' : 'unhealthy';
    if (threshold === 0 || this.#status === verdict) return undefined;

    const wasHealthy = this.isHealthy;
    this.#count(kind);
    if (this.#counters[kind] >= threshold) this.#status = verdict;
    else if (this.#status === 'healthy') this.#status = 'mostly_healthy';
    else if (this.#status === 'unhealthy') this.#status = 'mostly_unhealthy';
    return this.isHealthy === wasHealthy ? undefined : verdict;
  }

  #count(kind: HealthReport): void {
    const counters = this.#counters;
    counters[kind] += 1;
    if (kind === 'success') {
      counters.tcp_failure = 0;
      counters.http_failure = 0;
      counters.timeout = 0;
    } else {
      counters.success = 0;
    }
  }
}
