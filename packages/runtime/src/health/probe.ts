import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { HealthReport } from '@apisix-ts/core';
import type { ProbePlan } from './check-plan.ts';
import { probeTcp, probeUdp } from './exchange-probe.ts';
import { hostHeaderOf, serverNameOf } from './http-probe-plan.ts';
import type { HttpProbePlan } from './http-probe-plan.ts';
import { reportErrno } from './probe-report.ts';
import type { OnReport } from './probe-report.ts';
import { requestTarget } from './probed-node.ts';
import type { ProbedNode } from './probed-node.ts';

export interface ProbeTrust {
  /** Certificate authorities, PEM; absent: those of Node. */
  readonly ca?: string | readonly string[];
}

/**
 * Asks a node once how it is. The caller has the time-out: a probe that is silent is stopped by it.
 * @param onReport called once and not before this function returned; never after a stop.
 * @returns stops the probe. Its socket is closed then, as it is after a report.
 */
export function startProbe(
  plan: ProbePlan,
  node: ProbedNode,
  onReport: OnReport,
  trust: ProbeTrust = {},
): () => void {
  let isOver = false;
  const finish: OnReport = (report, shortage) => {
    if (isOver) return;
    stop();
    onReport(report, shortage);
  };
  const close = begin(plan, node, finish, trust);
  function stop(): void {
    isOver = true;
    close();
  }
  return stop;
}

function begin(plan: ProbePlan, node: ProbedNode, finish: OnReport, trust: ProbeTrust): () => void {
  if (plan.type === 'tcp') return probeTcp(plan, node, finish);
  if (plan.type === 'udp') return probeUdp(plan, node, finish);
  return probeHttp(plan, node, finish, trust);
}

function probeHttp(plan: HttpProbePlan, node: ProbedNode, finish: OnReport, trust: ProbeTrust): () => void {
  const host = hostHeaderOf(plan.host ?? node.host);
  const options: RequestOptions = {
    ...requestTarget(node, plan.port),
    method: plan.method,
    path: plan.path,
    headers: [...plan.headers, 'Host', host],
    agent: false,
  };
  const request =
    plan.type === 'http'
      ? requestHttp(options)
      : requestHttps({ ...options, ...tlsOptions(plan, serverNameOf(host), trust) });
  const onAnswer = (answer: IncomingMessage): void => {
    // After CONNECT or an upgrade the request has let go of its socket.
    answer.socket.destroy();
    finish(reportOf(plan, answer.statusCode));
  };
  request.on('response', onAnswer).on('connect', onAnswer).on('upgrade', onAnswer);
  request.on('error', (error: NodeJS.ErrnoException) => {
    if (isUnparsable(error)) finish('http_failure');
    else reportErrno(error.code, finish);
  });
  request.end(plan.body);
  return () => void request.destroy();
}

function tlsOptions(plan: HttpProbePlan, name: string, { ca }: ProbeTrust): RequestOptions {
  return {
    // An address is not sent as a server name, but the certificate is compared with it.
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    rejectUnauthorized: plan.verifiesCertificate,
    ...(ca === undefined ? {} : { ca: [ca].flat() }),
  };
}

function reportOf(plan: HttpProbePlan, status = 0): HealthReport | undefined {
  if (plan.healthyStatuses.has(status)) return 'success';
  return plan.unhealthyStatuses.has(status) ? 'http_failure' : undefined;
}

/** An answer that is not HTTP, by the codes of Node's parser. An answer that ends early is none of them. */
function isUnparsable(error: Error): boolean {
  return 'code' in error && String(error.code).startsWith('HPE_');
}
