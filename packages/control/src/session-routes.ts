import type { FastifyInstance } from 'fastify';
import { refuseBrowsers } from './browser-guard.ts';
import { refuse } from './refusal.ts';
import type { SessionAccess, SessionFacts } from './session-facts.ts';
import { readSessionQuery } from './session-query.ts';

type Query = { readonly Querystring: Readonly<Record<string, unknown>> };

/** `GET` and `DELETE /v1/connections`: the sessions that are open, and their end. Ours. */
export function addSessionRoutes(app: FastifyInstance, sessions: SessionAccess): void {
  app.get<Query>('/v1/connections', { onRequest: refuseBrowsers }, async ({ query }, reply) => {
    const wanted = readSessionQuery(query, ['limit']);
    if (typeof wanted === 'string') return refuse(reply, 400, wanted);
    const { total, sessions: found } = await sessions.list(wanted.filter, wanted.limit);
    return { total, connections: found.map(showSession) };
  });

  app.delete<Query>('/v1/connections', { onRequest: refuseBrowsers }, async ({ query }, reply) => {
    const wanted = readSessionQuery(query, ['all']);
    if (typeof wanted === 'string') return refuse(reply, 400, wanted);
    const { filter, isAll } = wanted;
    if (isAll !== (Object.keys(filter).length === 0)) {
      return refuse(reply, 400, 'expected at least one filter, or all=true and no filter');
    }
    return { closed: await sessions.close(filter) };
  });
}

/** What is absent is left out by JSON. */
function showSession(session: SessionFacts): Readonly<Record<string, string | number | undefined>> {
  return {
    id: session.id,
    worker: session.worker,
    protocol: session.protocol,
    listener: session.listener,
    client: session.client,
    server: session.server,
    sni: session.serverName,
    route: session.routeId,
    service: session.serviceId,
    upstream: session.upstream,
    node: session.node,
    state: session.state,
    started_at: session.startedAt,
    age: toSeconds(session.ageMs),
    idle: toSeconds(session.idleMs),
    bytes_received: session.bytesReceived,
    bytes_sent: session.bytesSent,
  };
}

function toSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
