import type { FastifyInstance } from 'fastify';
import { explanation } from './connection-explanation.ts';
import type { ConnectionFacts, ConnectionQuestion } from './connection-facts.ts';
import { readQuestion } from './connection-question.ts';
import type { GatewayFacts } from './gateway-facts.ts';
import { refuse } from './refusal.ts';

export interface ExplainRouteOptions {
  readonly status: () => GatewayFacts;
  /** Asks a worker what it would do. */
  readonly explain: (question: ConnectionQuestion) => Promise<ConnectionFacts>;
}

/** `GET /v1/explain`: which route would this connection take, and why none of the others? Ours. */
export function addExplainRoute(app: FastifyInstance, { explain, status }: ExplainRouteOptions): void {
  app.get<{ Querystring: Readonly<Record<string, unknown>> }>('/v1/explain', async ({ query }, reply) => {
    const question = readQuestion(query);
    if (typeof question === 'string') return refuse(reply, 400, question);
    return explanation(question, await explain(question), status().listeners);
  });
}
