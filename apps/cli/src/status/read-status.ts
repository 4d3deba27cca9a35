import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Settings } from '@apisix-ts/config';
import type { ConfigStatus, UpstreamHealthFacts } from '@apisix-ts/control';
import { isGatewayError } from '@apisix-ts/errors';
import type { CommandContext } from '../command.ts';
import { createControlClient } from '../control-client.ts';
import type { ControlClient } from '../control-client.ts';
import type { Home } from '../home.ts';
import { waitingNotice } from '../progress.ts';
import { reachableHost } from '../reachable-host.ts';
import { readRecord } from '../run-record.ts';
import { findProcess, pidFilePath, readPid } from '../running-gateway.ts';
import { checkSettings } from '../settings-check.ts';
import { adminPlace } from './admin-place.ts';
import type { HealthSummary, ShownDrain, StatusReport } from './status-report.ts';

/**
 * Finds out what there is to know of the gateway of this installation.
 * @throws GatewayError `GATEWAY_PID_INVALID`.
 */
export async function readStatus(context: CommandContext, home: Home): Promise<StatusReport> {
  const path = pidFilePath(home.path);
  const pid = readPid(home.path);
  if (pid === undefined) {
    const reason = existsSync(path) ? `${path} has no process id` : `there is no ${path}`;
    return { state: 'stopped', reason, home: home.path };
  }
  if (findProcess(home.path, pid, context.signals) === 'gone') {
    return { state: 'dead', reason: `${path} names process ${pid}, which is gone`, home: home.path };
  }
  const record = readRecord(home.path, pid);
  if (record === undefined) {
    const reason = `process ${pid} has left no run record: it is starting or ending, or is no gateway`;
    return { state: 'unclear', reason, home: home.path, pid };
  }
  const { started, config, last_reload } = record;
  const known = { home: home.path, pid, started, config, last_reload };
  try {
    const { settings } = checkSettings(context, home, config);
    const log = resolve(home.path, settings.nginx_config.error_log);
    const admin_api = await adminPlace(settings, home.path);
    return { ...known, log, admin_api, ...(await ask(context, settings)) };
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    return { state: 'unclear', reason: error.message, ...known };
  }
}

type Answers = Pick<StatusReport, 'state' | 'reason' | 'control_api' | 'gateway' | 'health' | 'draining'>;

async function ask(context: CommandContext, settings: Settings): Promise<Answers> {
  const { control, enable_control: isOn } = settings.apisix;
  // It has left a record, which it does when it serves.
  if (!isOn) return { state: 'serving', control_api: null };
  const origin = `http://${reachableHost(control.ip)}:${control.port}`;
  const release = waitingNotice(context, `waiting for ${origin}`);
  try {
    return { control_api: origin, ...(await askControl(createControlClient(origin))) };
  } finally {
    release();
  }
}

async function askControl(client: ControlClient): Promise<Answers> {
  // What the Control API of our own gateway answers.
  const gateway = (await client.ask({ path: '/v1/config/status' })) as ConfigStatus;
  const health = (await client.ask({ path: '/v1/healthcheck' })) as readonly UpstreamHealthFacts[];
  const drains = (await client.ask({ path: '/v1/drain' })) as { readonly draining: readonly ShownDrain[] };
  const isServing = gateway.phase === 'serving';
  return {
    state: isServing ? 'serving' : 'unclear',
    ...(isServing ? {} : { reason: `it is ${gateway.phase}` }),
    gateway,
    health: summary(health),
    draining: drains.draining,
  };
}

function summary(upstreams: readonly UpstreamHealthFacts[]): HealthSummary {
  const nodes = upstreams.flatMap(({ name, nodes: own }) => own.map((node) => ({ name, ...node })));
  const unhealthy = nodes.filter(({ status }) => status === 'unhealthy' || status === 'mostly_unhealthy');
  return {
    upstreams: upstreams.length,
    nodes: nodes.length,
    unhealthy: unhealthy.map(({ name, ip, port }) => `${name} ${ip.includes(':') ? `[${ip}]` : ip}:${port}`),
  };
}
