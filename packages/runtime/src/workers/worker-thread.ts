import { parentPort, workerData } from 'node:worker_threads';
import { isGatewayError } from '@apisix-ts/errors';
import { collectAfterLoad } from '../collect-garbage.ts';
import { DataPlane } from '../data-plane/data-plane.ts';
import type { FromWorker, SentError, ToWorker } from './messages.ts';
import { answer } from './questions.ts';
import type { WorkerOptions } from './worker-link.ts';

/** The program of a worker thread: a data plane behind a message port. */
function serve(): void {
  if (parentPort === null) throw new TypeError('this program runs in a worker thread');
  const port = parentPort;
  const send = (message: FromWorker): void => port.postMessage(message);
  // The main thread started this one with just these options.
  const dataPlane = new DataPlane(workerData as WorkerOptions, {
    onLog: (level, message, fields) => send({ type: 'log', level, message, fields: fields ?? {} }),
    onNodeFailure: (upstreamKey, node) => send({ type: 'node-failure', upstreamKey, node }),
    onAccess: (lines) => send({ type: 'access', lines }),
    onTally: (tally) => send({ type: 'tally', tally }),
  });

  const tellDone = (call: number, work: Promise<void>, afterwards?: () => void): void => {
    void work
      .then(
        () => send({ type: 'done', call }),
        (error: unknown) => send({ type: 'done', call, error: toSent(error) }),
      )
      .then(afterwards);
  };

  let hasListened = false;
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'apply': {
        const { revision, changes, isLastPart } = message;
        const overlaps = dataPlane.apply(revision, changes, isLastPart);
        // Before there are listeners no session has to wait for it.
        if (isLastPart && !hasListened) collectAfterLoad();
        if (overlaps.length > 0) send({ type: 'overlaps', overlaps });
        break;
      }
      case 'settle':
        send({ type: 'done', call: message.call });
        break;
      case 'ticket-keys':
        dataPlane.setTicketKeys(message.keys);
        break;
      case 'drains':
        dataPlane.setDrains(message.drains);
        break;
      case 'close-sessions':
        dataPlane.closeSessionsOf(message.upstreamKey, message.node);
        break;
      case 'listen':
        hasListened = true;
        tellDone(message.call, dataPlane.listen(message.listeners));
        break;
      case 'hand-over':
        dataPlane.handOver();
        tellDone(message.call, Promise.resolve());
        break;
      case 'drain':
        tellDone(message.call, dataPlane.drain(message.graceMs));
        break;
      case 'stop':
        tellDone(message.call, dataPlane.close(), () => port.close());
        break;
      case 'ask': {
        const { call, name, question } = message;
        // What fails here is a defect, and ends this thread.
        void answer(dataPlane.answers, name, question).then((found) =>
          send({ type: 'answer', call, answer: found }),
        );
        break;
      }
    }
  });
}

/** Only errors about listeners have a meaning to the main thread; anything else is a defect and ends this one. */
function toSent(error: unknown): SentError {
  if (!isGatewayError(error)) throw error;
  return { code: error.code, message: error.message, detail: error.detail };
}

serve();
