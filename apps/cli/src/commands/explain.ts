import type { Explanation } from '@apisix-ts/control';
import type { Command } from '../command.ts';
import { openControlClient } from '../control-client.ts';
import { showExplanation } from '../show-explanation.ts';

export const explain: Command = {
  name: 'explain',
  summary:
    'tell which route a connection would take, and why none of the others; status 1 if it would be closed',
  options: ['port', 'to', 'from', 'sni', 'alpn', 'protocol', 'limit', 'json'],
  failureStatus: 2,
  async run(context, options) {
    const { port, to, from, sni, alpn, protocol, limit } = options;
    const control = await openControlClient(context, options);
    const query = { port, to, from, sni, alpn, protocol, limit };
    // What the Control API of our own gateway answers.
    const answer = (await control.ask({ path: '/v1/explain', query })) as Explanation;
    if (options.json) context.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    else showExplanation(context, answer);
    return answer.served ? 0 : 1;
  },
};
