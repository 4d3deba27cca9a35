import { connect } from 'node:net';
import { openDatagramLink } from '@apisix-ts/transport';
import type { TcpProbePlan, UdpProbePlan } from './check-plan.ts';
import { AnswerReader } from './expectation.ts';
import { reportErrno } from './probe-report.ts';
import type { OnReport } from './probe-report.ts';
import { connectTarget } from './probed-node.ts';
import type { ProbedNode } from './probed-node.ts';

/** Connects; sends, if there is something to send; waits for the answer, if one is expected. */
export function probeTcp(plan: TcpProbePlan, node: ProbedNode, finish: OnReport): () => void {
  const { send, expectation } = plan;
  const socket = connect(connectTarget(node, plan.port));
  socket.on('error', (error: NodeJS.ErrnoException) => reportErrno(error.code, finish));
  socket.on('connect', () => {
    if (expectation === undefined) {
      if (send === undefined) finish('success');
      else socket.write(send, (error) => error || finish('success'));
    } else if (send !== undefined) {
      socket.write(send);
    }
  });
  if (expectation !== undefined) {
    const reader = new AnswerReader(expectation);
    socket.on('data', (chunk: Buffer) => {
      const fits = reader.add(chunk);
      if (fits !== undefined) finish(fits ? 'success' : 'tcp_failure');
    });
    socket.on('end', () => finish('tcp_failure'));
  }
  return () => void socket.destroy();
}

/** Sends one datagram; the first that comes back decides. */
export function probeUdp(plan: UdpProbePlan, node: ProbedNode, finish: OnReport): () => void {
  const { port = node.port, send, expectation } = plan;
  const link = openDatagramLink(node.address, port);
  link.handler = {
    onDatagram(view) {
      const fits = expectation === undefined || new AnswerReader(expectation).add(view) === true;
      finish(fits ? 'success' : 'tcp_failure');
    },
    onFailure: ({ errno }) => reportErrno(errno, finish),
  };
  link.send(send);
  return () => link.close();
}
