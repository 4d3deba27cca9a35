import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refuse } from './refusal.ts';

/**
 * Keeps pages away that somebody on this machine, or on one that reaches it, has open in a browser. A request of a page names the
 * page's origin, and one of a page whose own name was made to lead here (DNS rebinding) names that as its host; the tools of
 * operators do neither. There is no authentication that could stand in for this.
 */
export async function refuseBrowsers({ headers }: FastifyRequest, reply: FastifyReply): Promise<void> {
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none')) {
    reply.send(refuse(reply, 403, 'expected a request of a tool, found one of a web page'));
  } else if (!isOwnHost(headers.host)) {
    reply.send(refuse(reply, 403, `expected an ip address or localhost as Host, found ${headers.host}`));
  }
}

/** @param host with or without a port. */
function isOwnHost(host = ''): boolean {
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(name) !== 0 || name.toLowerCase() === 'localhost';
}
