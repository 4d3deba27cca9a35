import type { ActiveChecks, HealthChecks, HealthyRules, UnhealthyRules } from '@apisix-ts/config';
import { toProbeBytes } from '@apisix-ts/config';
import type { HealthReport, HealthThresholds, ReportSource } from '@apisix-ts/core';
import { SourceAddresses } from '../source-addresses.ts';
import { compileExpectation } from './expectation.ts';
import type { Expectation } from './expectation.ts';
import { compileHttpProbe } from './http-probe-plan.ts';
import type { HttpProbePlan, HttpProbeRules } from './http-probe-plan.ts';

/** What a probe does. */
export type ProbePlan = TcpProbePlan | UdpProbePlan | HttpProbePlan;

/** It connects. */
export interface TcpProbePlan {
  readonly type: 'tcp';
  /** Absent: the node's own. */
  readonly port?: number;
  readonly send?: Uint8Array;
  /** Absent: nothing is waited for. */
  readonly expectation?: Expectation;
}

/** It sends a datagram. */
export interface UdpProbePlan {
  readonly type: 'udp';
  /** Absent: the node's own. */
  readonly port?: number;
  /** Empty is a datagram, too. */
  readonly send: Uint8Array;
  /** Absent: any answer will do. */
  readonly expectation?: Expectation;
}

/** The checks of an upstream as they run. */
export interface CheckPlan {
  readonly probe: ProbePlan;
  /** Where probes connect from; undefined: the system chooses. */
  readonly sources: SourceAddresses | undefined;
  /** Of a whole probe, milliseconds. */
  readonly timeoutMs: number;
  /** What it reports when the time is over and nothing came. */
  readonly silence: HealthReport;
  /** Probes of this upstream under way at once. */
  readonly concurrency: number;
  /** Between the probes of a node in this state, milliseconds; undefined when it is not probed then. */
  readonly intervalMs: { readonly healthy: number | undefined; readonly unhealthy: number | undefined };
  readonly thresholds: Readonly<Record<ReportSource, HealthThresholds>>;
}

/** Counted where the checks have no such part; the schema's defaults hold only within a part that is there. */
const ABSENT = {
  active: {
    healthy: { http_statuses: [200, 302], successes: 2 },
    unhealthy: {
      http_statuses: [429, 404, 500, 501, 502, 503, 504, 505],
      http_failures: 5,
      tcp_failures: 2,
      timeouts: 3,
    },
  },
  passive: {
    healthy: { successes: 5 },
    unhealthy: { http_failures: 5, tcp_failures: 2, timeouts: 7 },
  },
} as const;

/** A session's reports are ignored. */
const NO_REPORTS: HealthThresholds = { success: 0, tcp_failure: 0, http_failure: 0, timeout: 0 };
/** Of a probe when the checks say 0 or less: one without an end would keep its place for good. */
const SHORTEST_TIMEOUT_S = 1;

/**
 * @param hostHeader sent instead of the node's name; the upstream's `upstream_host` where `pass_host` is `rewrite`.
 * @param sourceAddresses the upstream's.
 */
export function compileChecks(
  checks: HealthChecks,
  hostHeader?: string,
  sourceAddresses?: readonly string[],
): CheckPlan {
  const { active } = checks;
  const healthy = active.healthy ?? ABSENT.active.healthy;
  const unhealthy = active.unhealthy ?? ABSENT.active.unhealthy;
  return {
    probe: compileProbe(active, {
      healthyStatuses: healthy.http_statuses,
      unhealthyStatuses: unhealthy.http_statuses,
      hostHeader,
    }),
    // Where no answer is expected, a refusal is the only thing that could be heard.
    silence: active.type === 'udp' && active.expect === undefined ? 'success' : 'timeout',
    sources: sourceAddresses && new SourceAddresses(sourceAddresses),
    timeoutMs: (active.timeout > 0 ? active.timeout : SHORTEST_TIMEOUT_S) * 1000,
    concurrency: Math.max(active.concurrency, 1),
    intervalMs: {
      healthy: active.healthy && active.healthy.interval * 1000,
      unhealthy: active.unhealthy && active.unhealthy.interval * 1000,
    },
    thresholds: { active: thresholds(healthy, unhealthy), passive: passiveThresholds(checks) },
  };
}

function compileProbe(active: ActiveChecks, httpRules: HttpProbeRules): ProbePlan {
  const { type, port, send, expect } = active;
  if (type === 'http' || type === 'https') return compileHttpProbe(type, active, httpRules);
  const common = {
    ...(port === undefined ? {} : { port }),
    ...(expect === undefined ? {} : { expectation: compileExpectation(expect) }),
  };
  if (type === 'udp') return { type, send: toProbeBytes(send ?? ''), ...common };
  return { type, ...(send === undefined ? {} : { send: toProbeBytes(send) }), ...common };
}

/**
 * Sessions are counted without `passive` too, as in the reference; but not where no probe could undo what they say,
 * and nobody asked for it.
 */
function passiveThresholds({ active, passive }: HealthChecks): HealthThresholds {
  if (passive === undefined && active.unhealthy === undefined) return NO_REPORTS;
  const { healthy = ABSENT.passive.healthy, unhealthy = ABSENT.passive.unhealthy } = passive ?? {};
  return thresholds(healthy, unhealthy);
}

function thresholds(
  { successes }: Pick<HealthyRules, 'successes'>,
  { tcp_failures, http_failures, timeouts }: Omit<UnhealthyRules, 'http_statuses'>,
): HealthThresholds {
  return { success: successes, tcp_failure: tcp_failures, http_failure: http_failures, timeout: timeouts };
}
