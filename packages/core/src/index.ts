export { AddressSet } from './address/address-set.ts';
export { cidrText } from './address/cidr-text.ts';
export { parseCidr, parseIp } from './address/ip.ts';
export type { Cidr, Ip } from './address/ip.ts';
export { unixPath } from './address/unix.ts';
export { balancerKinds, chash, createTiers, ewma, leastConn, random, roundRobin } from './balancer/index.ts';
export type { Attempt, Balancer, BalancerKind, BalancerOptions } from './balancer/index.ts';
export { absent, malformed, needMore } from './connection/head-parser.ts';
export type { HeadAnswer, HeadParser } from './connection/head-parser.ts';
export { PeekBuffer } from './connection/peek-buffer.ts';
export type { PeekOptions, PeekOutcome } from './connection/peek-buffer.ts';
export type {
  DatagramLink,
  DatagramLinkHandler,
  DatagramPort,
  DatagramPortHandler,
  LinkFailure,
} from './datagram/datagram-port.ts';
export type { Flow, FlowHandler, FlowResult, FlowTarget } from './datagram/flow.ts';
export { FlowTable } from './datagram/flow-table.ts';
export type { FlowTableOptions } from './datagram/flow-table.ts';
export type { Condition } from '@apisix-ts/expression';
export { compileExpression, expressionFault } from './expression/compile-expression.ts';
export { HealthTarget } from './health/health-target.ts';
export type { HealthReport, HealthStatus, HealthThresholds, ReportSource } from './health/health-target.ts';
export { ConnectPacketParser } from './mqtt/connect-packet.ts';
export type { ConnectPacketOptions, MqttConnect } from './mqtt/connect-packet.ts';
export { PluginRun, logSession } from './plugin/plugin-run.ts';
export type { ChainedPlugin, PluginPatience, PluginRunEvents } from './plugin/plugin-run.ts';
export type {
  JsonObject,
  PluginHandlers,
  PluginHost,
  PluginPause,
  PluginPeek,
  PluginPeekOutcome,
  PluginRefusal,
  PluginSession,
  PluginStep,
  PluginUpstream,
  SessionCounts,
  StreamPlugin,
} from './plugin/stream-plugin.ts';
export { ProxyHeaderParser } from './proxy-protocol/parse.ts';
export type { ProxyHeaderOptions } from './proxy-protocol/parse.ts';
export type {
  IpAddresses,
  ProxyAddresses,
  ProxyEndpoint,
  ProxyHeader,
  ProxySsl,
  ProxyTlv,
  ProxyTlvs,
  ProxyTransport,
  UnixAddresses,
} from './proxy-protocol/proxy-header.ts';
export { writeProxyV1, writeProxyV2, writeProxyV2Local } from './proxy-protocol/write.ts';
export type { ProxyV2Options } from './proxy-protocol/write.ts';
export { RouteExplanation } from './router/explain.ts';
export type { ExplainedRoutes, RouteCondition, RouteVerdict } from './router/explain.ts';
export type { StreamFacts } from './router/stream-facts.ts';
export type { StreamMatch } from './router/stream-match.ts';
export { StreamRouter } from './router/stream-router.ts';
export { ClientHelloParser } from './tls/client-hello.ts';
export type { ClientHelloOptions } from './tls/client-hello.ts';
export type { ClientHello } from './tls/hello-message.ts';
export { isDnsName, normalizeServerName } from './tls/server-name.ts';
export { averageConnectMs, averageFailedConnectMs, discountConnectMs } from './upstream/connect-average.ts';
export { LocalNodeLoad } from './upstream/local-node-load.ts';
export type { LocalNodeLoadOptions } from './upstream/local-node-load.ts';
export type { NodeLoad } from './upstream/node-load.ts';
export type { UpstreamNode } from './upstream/upstream-node.ts';
export { splitTemplate } from './variables/template.ts';
export type { TemplatePart } from './variables/template.ts';
export { relay, Session } from './pipe/relay.ts';
export type { RelayDone, RelayOptions, RelayRates, RelayResult } from './pipe/relay.ts';
export { TimerWheel, WheelEntry } from './pipe/timer-wheel.ts';
export type { WheelClock } from './pipe/timer-wheel.ts';
export type { Wire, WireError, WireHandler } from './pipe/wire.ts';
