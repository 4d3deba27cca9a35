/** A worker that dies as one with a defect does, when its index is said on the channel `mortal-worker`. */
import { BroadcastChannel, workerData } from 'node:worker_threads';
import type { WorkerOptions } from '../workers/worker-link.ts';

const { index } = workerData as WorkerOptions; // as the gateway starts it
const channel = new BroadcastChannel('mortal-worker');
channel.addEventListener('message', (event) => {
  if ('data' in event && event.data === index) throw new Error('it was to die');
});
channel.unref();
await import('../workers/worker-thread.ts');
