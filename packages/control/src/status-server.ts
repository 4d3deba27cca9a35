import type { HttpSocketOptions } from '@apisix-ts/http-server';
import type { GatewayFacts } from './gateway-facts.ts';
import { openHttpService } from './http-service.ts';
import type { HttpService } from './http-service.ts';

export interface StatusServerOptions extends HttpSocketOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The `Server` header. */
  readonly serverToken: string;
  readonly status: () => Pick<GatewayFacts, 'phase' | 'workers' | 'workerCount' | 'snapshot'>;
}

/** The body of every answer. */
export interface StatusAnswer {
  readonly status: 'ok' | 'error';
  /** Why not. */
  readonly error?: string;
  /** There while what is in effect comes from the snapshot on disk, because the store could not be loaded. */
  readonly snapshot?: {
    readonly revision: number;
    /** Milliseconds since 1970. */
    readonly saved_at: number;
  };
}

/**
 * The status API, for those who start and stop gateways and send traffic to them: `/status` answers as long as the
 * process does, `/status/ready` with 200 once every worker has the configuration and the listeners are open. There is no
 * authentication, as in the reference. Rejects with `LISTENER_*`.
 */
export function createStatusServer(options: StatusServerOptions): Promise<HttpService> {
  return openHttpService({ name: 'the status API (apisix.status)', ...options }, (app) => {
    const alive = async (): Promise<StatusAnswer> => ({ status: 'ok' });
    app.get('/status', alive);
    app.get('/status/*', alive);
    app.get('/status/ready', async (_request, reply) => {
      const error = whyNotReady(options.status());
      if (error === undefined) return { status: 'ok', ...servedSnapshot(options.status()) };
      reply.code(503);
      return { status: 'error', error };
    });
  });
}

type Facts = ReturnType<StatusServerOptions['status']>;

/** In the reference's words where it has some. */
function whyNotReady({ phase, workers, workerCount }: Facts): string | undefined {
  if (phase === 'ending') return 'the gateway is ending';
  if (workers.size < workerCount)
    return `worker count: ${workerCount} but status report count: ${workers.size}`;
  for (const [id, revision] of workers) {
    if (revision === 0) return `worker id: ${id} has not received configuration`;
  }
  return phase === 'starting' ? 'the listeners are not open yet' : undefined;
}

function servedSnapshot({ snapshot }: Facts): Pick<StatusAnswer, 'snapshot'> {
  if (snapshot?.isServing !== true || snapshot.revision === undefined || snapshot.savedAtMs === undefined)
    return {};
  return { snapshot: { revision: snapshot.revision, saved_at: snapshot.savedAtMs } };
}
