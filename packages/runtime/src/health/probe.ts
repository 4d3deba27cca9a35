import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { RequestOptions } from 'node:https';
import { connect, isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { HealthReport } from '@apisix-ts/core';
import type { ProbePlan, TcpProbePlan } from './check-plan.ts';
import { hostHeaderOf, serverNameOf } from './http-probe-plan.ts';
import type { HttpProbePlan } from './http-probe-plan.ts';

/** What a probe connects to. */
export interface ProbedNode {
  /** As configured: a name, or an address. */
  readonly host: string;
  /** An ip literal. */
  readonly address: string;
  readonly port: number;
  /** An ip literal of this machine to connect from; absent: the system chooses. */
  readonly source?: string;
}

export interface ProbeTrust {
  /** Certificate authorities, PEM; absent: those of Node. */
  readonly ca?: string | readonly string[];
}

/** `undefined`: the status is in neither list, which says nothing. */
type OnReport = (report: HealthReport | undefined) => void;

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
  const finish: OnReport = (report) => {
    if (isOver) return;
    stop();
    onReport(report);
  };
  const close = plan.type === 'tcp' ? probeTcp(plan, node, finish) : probeHttp(plan, node, finish, trust);
  function stop(): void {
    isOver = true;
    close();
  }
  return stop;
}

function probeTcp({ port }: TcpProbePlan, node: ProbedNode, finish: OnReport): () => void {
  const socket = connect({ host: node.address, port: port ?? node.port, ...sourceOf(node) });
  socket.on('connect', () => finish('success'));
  socket.on('error', () => finish('tcp_failure'));
  return () => void socket.destroy();
}

function probeHttp(plan: HttpProbePlan, node: ProbedNode, finish: OnReport, trust: ProbeTrust): () => void {
  const host = hostHeaderOf(plan.host ?? node.host);
  const options: RequestOptions = {
    host: node.address,
    port: plan.port ?? node.port,
    ...sourceOf(node),
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
  request.on('error', (error) => finish(isUnparsable(error) ? 'http_failure' : 'tcp_failure'));
  request.end(plan.body);
  return () => void request.destroy();
}

function sourceOf({ source }: ProbedNode): { readonly localAddress?: string } {
  return source === undefined ? {} : { localAddress: source };
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
