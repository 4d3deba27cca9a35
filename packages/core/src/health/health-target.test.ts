import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HealthTarget } from './health-target.ts';
import type { HealthReport, HealthThresholds, ReportSource } from './health-target.ts';

const active: HealthThresholds = { success: 2, tcp_failure: 2, http_failure: 3, timeout: 3 };
const passive: HealthThresholds = { success: 0, tcp_failure: 4, http_failure: 0, timeout: 0 };

/** What happens: + success, T tcp failure, H http failure, O time-out, by a probe; t tcp failure, s success of a session. */
const reports: Readonly<Record<string, readonly [HealthReport, ReportSource]>> = {
  '+': ['success', 'active'],
  T: ['tcp_failure', 'active'],
  H: ['http_failure', 'active'],
  O: ['timeout', 'active'],
  s: ['success', 'passive'],
  t: ['tcp_failure', 'passive'],
};

function after(sequence: string): HealthTarget {
  const target = new HealthTarget({ active, passive });
  for (const letter of sequence) {
    const report = reports[letter];
    if (report === undefined) throw new TypeError(`no report is written "${letter}"`);
    target.report(...report);
  }
  return target;
}

/** Counters in the order success, tcp, http, time-out. */
function counters(target: HealthTarget): string {
  return Object.values(target.counters).join(' ');
}

describe('the status of a target', () => {
  test.for([
    ['starts healthy', '', 'healthy', '0 0 0 0'],
    ['ignores a success while healthy', '++', 'healthy', '0 0 0 0'],
    ['is mostly healthy from the first failure on', 'T', 'mostly_healthy', '0 1 0 0'],
    ['is unhealthy at the threshold of one kind', 'TT', 'unhealthy', '0 2 0 0'],
    ['does not add up failures of different kinds', 'THHOO', 'mostly_healthy', '0 1 2 2'],
    ['ignores a failure while unhealthy', 'TTTHO', 'unhealthy', '0 2 0 0'],
    ['stays mostly healthy after one success, which forgives', 'TH+', 'mostly_healthy', '1 0 0 0'],
    ['is healthy again at the threshold of successes', 'TH++', 'healthy', '2 0 0 0'],
    ['forgets successes at a failure', 'T+T+', 'mostly_healthy', '1 0 0 0'],
    ['is mostly unhealthy from the first success on', 'TT+', 'mostly_unhealthy', '1 0 0 0'],
    ['stays mostly unhealthy after a failure below the threshold', 'TT+T', 'mostly_unhealthy', '0 1 0 0'],
    ['falls back to unhealthy at the threshold', 'TT+TT', 'unhealthy', '0 2 0 0'],
    ['recovers from unhealthy', 'TT++', 'healthy', '2 0 0 0'],
    ['starts to count again after a recovery', 'TT++T', 'mostly_healthy', '0 1 0 0'],
    ['compares one counter with the threshold of who reports', 'ttt', 'mostly_healthy', '0 3 0 0'],
    ['is unhealthy at the threshold of sessions', 'tttt', 'unhealthy', '0 4 0 0'],
    ['lets a probe decide on what sessions counted', 'tT', 'unhealthy', '0 2 0 0'],
    ['lets a session forgive nothing where its threshold is 0', 'TTsss', 'unhealthy', '0 2 0 0'],
  ] as const)('%s: %s', ([, sequence, status, counted]) => {
    const target = after(sequence);

    expect(target.status).toBe(status);
    expect(counters(target)).toBe(counted);
  });

  test('is that of a usable node while healthy or mostly healthy', () => {
    expect(['', 'T', 'TT', 'TT+'].map((sequence) => after(sequence).isHealthy)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('follows a single report where the threshold is 1', () => {
    const ones = { success: 1, tcp_failure: 1, http_failure: 1, timeout: 1 };
    const target = new HealthTarget({ active: ones, passive: ones });

    expect(target.report('timeout', 'passive')).toBe('unhealthy');
    expect(target.report('success', 'active')).toBe('healthy');
  });
});

describe('a report', () => {
  test('tells of a flip once, and of nothing in between', () => {
    const target = after('');
    const told = Array.from('TTT+T++', (letter) =>
      target.report(...(reports[letter] ?? ['success', 'active'])),
    );

    expect(told).toEqual([undefined, 'unhealthy', undefined, undefined, undefined, undefined, 'healthy']);
  });

  test('keeps the counters within the thresholds, whatever comes', () => {
    const kind = fc.constantFrom<HealthReport>('success', 'tcp_failure', 'http_failure', 'timeout');
    const source = fc.constantFrom<ReportSource>('active', 'passive');
    const threshold = fc.nat(5);
    const thresholds = fc.record({
      success: threshold,
      tcp_failure: threshold,
      http_failure: threshold,
      timeout: threshold,
    });

    fc.assert(
      fc.property(
        fc.record({ active: thresholds, passive: thresholds }),
        fc.array(fc.tuple(kind, source), { maxLength: 60 }),
        (limits, sequence) => {
          const target = new HealthTarget(limits);
          for (const [report, from] of sequence) {
            const wasHealthy = target.isHealthy;
            const flip = target.report(report, from);

            expect(flip !== undefined).toBe(target.isHealthy !== wasHealthy);
            const { success, ...failures } = target.counters;
            expect(success).toBeLessThanOrEqual(Math.max(limits.active.success, limits.passive.success));
            for (const failure of ['tcp_failure', 'http_failure', 'timeout'] as const) {
              const most = Math.max(limits.active[failure], limits.passive[failure]);
              expect(failures[failure]).toBeLessThanOrEqual(most);
              expect(success === 0 || failures[failure] === 0).toBe(true);
            }
          }
        },
      ),
    );
  });
});
