export type { ConfigStatus } from './config-status.ts';
export type { Explanation } from './connection-explanation.ts';
export { createControlServer } from './control-server.ts';
export type { ControlServerOptions } from './control-server.ts';
export type {
  GatewayFacts,
  Distribution,
  HttpFacts,
  ListenerTotals,
  NodeHealthFacts,
  SeriesTotal,
  SessionTotals,
  SnapshotFacts,
  ThreadFacts,
  UpstreamHealthFacts,
} from './gateway-facts.ts';
export type { ShownRoute } from './route-verdict.ts';
export type { HttpService } from './http-service.ts';
export { createMetricsServer } from './metrics-server.ts';
export type { MetricsServerOptions } from './metrics-server.ts';
export { createStatusServer } from './status-server.ts';
export type { StatusServerOptions } from './status-server.ts';
