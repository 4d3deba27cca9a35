import type { FastifyReply } from 'fastify';

/** The shape of every refusal. */
export interface Refusal {
  readonly error_msg: string;
}

export function refuse(reply: FastifyReply, status: number, message: string): Refusal {
  reply.code(status);
  return { error_msg: message };
}
