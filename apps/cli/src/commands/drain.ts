import { GatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from '../command.ts';
import { openControlClient } from '../control-client.ts';
import type { ControlClient } from '../control-client.ts';
import { readSeconds } from '../seconds.ts';
import { writeTable } from '../table.ts';
import type { Column } from '../table.ts';

const PATH = '/v1/drain';
const kinds = ['listener', 'route', 'upstream', 'node'] as const;

type Kind = (typeof kinds)[number];

export const drain: Command = {
  name: 'drain',
  summary: 'give a listener, route, upstream or node no new connections; list those, or undo it',
  options: ['over', 'json'],
  words: 'listener|route|upstream|node NAME, list, undo KIND NAME',
  wordCount: [1, 3],
  choices: [...kinds, 'list', 'undo'],
  async run(context, options) {
    const [action = '', ...rest] = options.words;
    const isUndo = action === 'undo';
    const target = action === 'list' ? undefined : readTarget(isUndo ? rest : options.words);
    if (options.over !== undefined && (isUndo || target === undefined)) {
      throw refused('--over is for what begins to be drained');
    }
    const over = options.over === undefined ? undefined : readSeconds('over', options.over);
    if (target === undefined && rest.length > 0)
      throw refused(`expected nothing after list, found ${rest[0]}`);
    const client = await openControlClient(context, options);
    if (target === undefined) return list(context, client, options.json);
    const { kind, name } = target;
    const answer = isUndo
      ? await client.ask({ method: 'DELETE', path: PATH, query: { [kind]: name } })
      : await client.ask({ method: 'POST', path: PATH, body: { [kind]: name, over } });
    if (options.json) context.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    else if (isUndo) context.stdout.write(`${kind} ${name} gets new connections again\n`);
    else tell(context, target, answer as Drain); // What our own Control API answers.
    return 0;
  },
};

interface Target {
  readonly kind: Kind;
  readonly name: string;
}

/** As the Control API shows it. */
interface Drain extends Readonly<Partial<Record<Kind, string>>> {
  /** Unix milliseconds. */
  readonly since: number;
  /** Seconds. */
  readonly over?: number;
  readonly ends_at?: number;
  readonly sessions: number;
}

const columns: readonly Column<Drain>[] = [
  { title: 'KIND', value: (each) => kindOf(each) },
  { title: 'NAME', value: (each) => each[kindOf(each)] },
  { title: 'SINCE', value: ({ since }) => new Date(since).toISOString() },
  { title: 'ENDS', value: ({ ends_at: at }) => (at === undefined ? undefined : new Date(at).toISOString()) },
  { title: 'CONNECTIONS', value: ({ sessions }) => sessions },
];

async function list(context: CommandContext, client: ControlClient, asJson: boolean): Promise<number> {
  const answer = await client.ask({ path: PATH });
  if (asJson) context.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  // What our own Control API answers.
  else writeTable(context, columns, (answer as { draining: readonly Drain[] }).draining);
  return 0;
}

function tell({ stdout }: CommandContext, { kind, name }: Target, { sessions, over }: Drain): void {
  const left = `${sessions} connection${sessions === 1 ? '' : 's'}`;
  const outlook = over === undefined ? 'may stay' : `will be closed within ${over} s`;
  stdout.write(`${kind} ${name} gets no new connections; ${left} ${outlook}\n`);
}

function kindOf(each: Drain): Kind {
  return kinds.find((kind) => each[kind] !== undefined) ?? 'node';
}

function readTarget([kind, name, extra]: readonly string[]): Target {
  const known = kinds.find((each) => each === kind);
  if (known === undefined)
    throw refused(`expected ${kinds.join(', ')}, list or undo, found ${kind ?? 'nothing'}`);
  if (name === undefined) throw refused(`expected the name of the ${known}, found nothing`);
  if (extra !== undefined) throw refused(`expected one ${known}, found ${name} and ${extra}`);
  return { kind: known, name };
}

function refused(message: string): GatewayError {
  return new GatewayError('CONTROL_REQUEST_REFUSED', message);
}
