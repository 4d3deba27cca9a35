import { HealthTarget, WheelEntry } from '@apisix-ts/core';
import type { HealthReport, ReportSource, TimerWheel, WheelClock } from '@apisix-ts/core';
import type { CheckPlan } from './check-plan.ts';
import type { ProbeLine, ProbeQueue } from './probe-queue.ts';
import type { OnReport } from './probe-report.ts';
import { startProbe } from './probe.ts';
import type { ProbeTrust } from './probe.ts';
import type { ProbedNode } from './probed-node.ts';

/** What the nodes of all upstreams share. */
export interface ProbeResources {
  readonly clock: WheelClock;
  readonly wheel: TimerWheel;
  readonly queue: ProbeQueue;
  readonly random: () => number;
  readonly trust: ProbeTrust;
  /** A probe could not be made. @param errno what this machine has run out of, by the system's name for it. */
  readonly onShortage: (errno: string) => void;
}

/** Why `isHealthy` of a node changed. */
export interface HealthFlip {
  readonly isHealthy: boolean;
  readonly report: HealthReport;
  readonly source: ReportSource;
}

/**
 * A node under checks: it waits for its next probe, in the queue for its turn, or for the answer. The wheel calls it
 * for the first and for the end of the last.
 */
export class CheckedNode extends WheelEntry {
  readonly node: ProbedNode;
  readonly target: HealthTarget;
  readonly #plan: CheckPlan;
  readonly #line: ProbeLine;
  readonly #resources: ProbeResources;
  readonly #onFlip: (flip: HealthFlip) => void;
  /** When the next probe, or the one under way, had its time. */
  #dueMs: number;
  #stopProbe: (() => void) | undefined;
  #isStopped = false;

  /** Probes begin within the first interval, at a random moment: not all nodes at once. */
  constructor(
    node: ProbedNode,
    plan: CheckPlan,
    line: ProbeLine,
    resources: ProbeResources,
    onFlip: (flip: HealthFlip) => void,
  ) {
    super();
    this.node = node;
    this.target = new HealthTarget(plan.thresholds);
    this.#plan = plan;
    this.#line = line;
    this.#resources = resources;
    this.#onFlip = onFlip;
    this.#dueMs = resources.clock.nowMs();
    this.#schedule(resources.random());
  }

  report(kind: HealthReport, source: ReportSource): void {
    const flip = this.target.report(kind, source);
    if (flip === undefined) return;
    // Another interval holds from now on; a probe under way takes it up when it ends.
    if (this.#stopProbe === undefined) {
      this.#resources.queue.leave(this.#line, this);
      this.#dueMs = this.#resources.clock.nowMs();
      this.#schedule();
    }
    this.#onFlip({ isHealthy: flip === 'healthy', report: kind, source });
  }

  /** Ends the probes; one under way is cut. */
  stop(): void {
    this.#isStopped = true;
    this.#endProbe();
  }

  /** Called by the queue. */
  start(): void {
    const { trust, wheel, onShortage } = this.#resources;
    const { probe, sources } = this.#plan;
    const source = sources?.next(this.node.address);
    const node = source === undefined ? this.node : { ...this.node, source };
    const onReport: OnReport = (report, shortage) => {
      if (shortage !== undefined) onShortage(shortage);
      this.#finish(report);
    };
    this.#stopProbe = startProbe(probe, node, onReport, trust);
    wheel.add(this, this.#plan.timeoutMs);
  }

  override onDue(): number {
    const probe = this.#stopProbe;
    if (probe === undefined) {
      this.#resources.queue.enter(this.#line, this);
    } else {
      // If it was this thread that was late, the answer is waiting to be read: look there first.
      setImmediate(() => {
        if (this.#stopProbe === probe) this.#finish(this.#plan.silence);
      });
    }
    return 0;
  }

  #finish(report: HealthReport | undefined): void {
    // Reported while the probe still counts as under way, so that the next one is scheduled once, below.
    if (report !== undefined) this.report(report, 'active');
    this.#endProbe();
    this.#schedule();
  }

  #endProbe(): void {
    this.#resources.wheel.remove(this);
    this.#stopProbe?.();
    this.#stopProbe = undefined;
    this.#resources.queue.leave(this.#line, this);
  }

  /** @param share of the interval of its present state. */
  #schedule(share = 1): void {
    const { clock, wheel } = this.#resources;
    wheel.remove(this);
    const intervalMs = this.#plan.intervalMs[this.target.isHealthy ? 'healthy' : 'unhealthy'];
    if (intervalMs === undefined || this.#isStopped) return;
    const nowMs = clock.nowMs();
    // From when the last one was due, not from when it ran: the pace is kept, unless it cannot be.
    this.#dueMs = Math.max(this.#dueMs + intervalMs * share, nowMs);
    wheel.add(this, Math.max(this.#dueMs - nowMs, 1));
  }
}
