import type { StreamPlugin } from '@apisix-ts/core';
import { ipRestriction } from './ip-restriction.ts';
import { limitConn } from './limit-conn.ts';
import { mqttProxy } from './mqtt-proxy.ts';
import { prometheus } from './prometheus.ts';
import { syslog } from './syslog.ts';
import { trafficSplit } from './traffic-split.ts';

/** All there are, in the order in which they run. A plugin is one file and one line here. */
export const streamPlugins: readonly StreamPlugin[] = [
  ipRestriction,
  limitConn,
  mqttProxy,
  prometheus,
  syslog,
  trafficSplit,
].sort((left, right) => right.priority - left.priority);
