export { collectGarbage } from './collect-garbage.ts';
export type { SnapshotOptions, SnapshotStatus } from './configuration/configuration-source.ts';
export type { SnapshotOrigin } from './configuration/snapshot-format.ts';
export { createGateway } from './gateway.ts';
export type { Gateway, GatewayHeritage, GatewayOptions, GatewayStatus } from './gateway-contract.ts';
export { keyringOf } from './gateway-settings.ts';
export { checkContextOf } from './plugins/enabled-plugins.ts';
export { LineBatch } from './access-log/line-batch.ts';
export { localTime, logSeconds, logText } from './access-log/log-text.ts';
export type { StreamSockets } from './listening.ts';
export type { Log, LogLevel } from './log.ts';
export type {
  ConnectionExplanation,
  ConnectionQuestion,
  ExplainedRoute,
  UpstreamState,
} from './data-plane/explain-connection.ts';
export type { NodeState } from './data-plane/upstream.ts';
export type { SessionFilter } from './data-plane/session-filter.ts';
export type { SessionFacts, SessionList } from './data-plane/session-list.ts';
export type { DrainStatus, DrainTarget, GatewayDrains } from './drains.ts';
export type { GatewaySessions } from './sessions.ts';
export type { Drain, DrainKind } from './workers/drain.ts';
export type { SessionReason } from './data-plane/session-reason.ts';
export type { NodeHealth } from './health/checked-upstream.ts';
export type { UpstreamHealth } from './health/health-monitor.ts';
export type { GatewayCounts } from './metrics/gateway-meter.ts';
export type { Series } from './metrics/session-series.ts';
export type { StatusLabels } from './metrics/session-tallies.ts';
export type { ThreadActivity } from './metrics/thread-activity.ts';
export type { Distribution, EventCounts, ListenerCounts } from './shared-counters.ts';
export type { WorkerProgram } from './workers/worker-program.ts';
