import { GatewayError } from '@apisix-ts/errors';
import type { Command, CommandContext } from '../command.ts';
import { filterOptions, filterQuery } from '../connection-filter.ts';
import { openControlClient } from '../control-client.ts';
import type { ControlClient, ControlRequest } from '../control-client.ts';
import type { Options } from '../options.ts';
import { writeTable } from '../table.ts';
import type { Column } from '../table.ts';

const PATH = '/v1/connections';

export const connections: Command = {
  name: 'connections',
  summary: 'show the connections that are open, or close some of them',
  options: [...filterOptions, 'limit', 'all', 'yes', 'json'],
  words: '[list|close]',
  choices: ['list', 'close'],
  async run(context, options) {
    const [action = 'list'] = options.words;
    const client = await openControlClient(context, options);
    if (action === 'list') return list(context, client, options);
    if (action === 'close') return close(context, client, options);
    throw new GatewayError('CONTROL_REQUEST_REFUSED', `expected list or close, found ${action}`);
  },
};

/** As the Control API shows it. */
interface Connection {
  readonly id: string;
  readonly protocol: string;
  readonly state: string;
  readonly client: string;
  readonly listener: string;
  readonly sni?: string;
  readonly route?: string;
  readonly node?: string;
  readonly age: number;
  readonly idle: number;
  readonly bytes_received: number;
  readonly bytes_sent: number;
}

const columns: readonly Column<Connection>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'CLIENT', value: ({ client }) => client },
  { title: 'LISTENER', value: ({ listener }) => listener },
  { title: 'ROUTE', value: ({ route }) => route },
  { title: 'NODE', value: ({ node }) => node },
  { title: 'AGE', value: ({ age }) => shortTime(age) },
  { title: 'IDLE', value: ({ idle }) => shortTime(idle) },
  { title: 'RECEIVED', value: ({ bytes_received: bytes }) => bytes },
  { title: 'SENT', value: ({ bytes_sent: bytes }) => bytes },
  { title: 'SNI', value: ({ sni }) => sni },
];

async function list(context: CommandContext, client: ControlClient, options: Options): Promise<number> {
  const { stdout, stderr } = context;
  const answer = await client.ask({ path: PATH, query: { ...filterQuery(options), limit: options.limit } });
  if (options.json) {
    stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    return 0;
  }
  // What our own Control API answers.
  const { total, connections: shown } = answer as { total: number; connections: readonly Connection[] };
  writeTable(context, columns, shown);
  if (shown.length < total)
    stderr.write(`${shown.length} of ${total} are shown, the oldest; --limit N shows more\n`);
  return 0;
}

async function close(context: CommandContext, client: ControlClient, options: Options): Promise<number> {
  const { stdout, stderr, confirm } = context;
  const filter = filterQuery(options);
  if (options.all === Object.values(filter).some((value) => value !== undefined)) {
    throw new GatewayError(
      'CONTROL_REQUEST_REFUSED',
      'expected a filter such as --node that says which to close, or --all and no filter',
    );
  }
  if (confirm !== undefined && !options.yes) {
    const count = await countOf(client, filter);
    if (count > 0 && !(await confirm(`close ${count} connection${count === 1 ? '' : 's'}?`))) {
      stderr.write('nothing was closed\n');
      return 1;
    }
  }
  const query = { ...filter, all: options.all ? 'true' : undefined };
  const answer = await client.ask({ method: 'DELETE', path: PATH, query });
  // What our own Control API answers.
  const { closed } = answer as { closed: number };
  stdout.write(options.json ? `${JSON.stringify(answer)}\n` : `${closed} closed\n`);
  return 0;
}

async function countOf(client: ControlClient, filter: NonNullable<ControlRequest['query']>): Promise<number> {
  // What our own Control API answers.
  const { total } = (await client.ask({ path: PATH, query: { ...filter, limit: '0' } })) as { total: number };
  return total;
}

/** `0.3s`, `59s`, `12m05s`, `3h07m`, `4d02h`: one width, so that a column is read at a glance. */
function shortTime(seconds: number): string {
  if (seconds < 10) return `${seconds}s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
