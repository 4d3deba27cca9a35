import type { ConditionName, ConnectionFacts, RouteFacts } from './connection-facts.ts';

/** A stream route in the answer of `GET /v1/explain`. */
export interface ShownRoute {
  readonly route: string;
  readonly priority: number;
  /** Its conditions, as its document has them; those that are not there hold for every connection. */
  readonly conditions: Readonly<Record<string, unknown>>;
  readonly verdict: RouteFacts['verdict']['kind'];
  /** The conditions that do not hold, or the one thing that the winner is ahead in. */
  readonly because?: readonly string[];
  /** The same in words. */
  readonly reason?: string;
}

type Connection = ConnectionFacts['connection'];

export function showRoute(facts: RouteFacts, connection: Connection): ShownRoute {
  const { id, priority, verdict } = facts;
  const shown = { route: id, priority, conditions: conditionsOf(facts), verdict: verdict.kind };
  if (verdict.kind === 'wins') return shown;
  if (verdict.kind === 'loses') {
    const because = verdict.by === 'priority' || verdict.by === 'id' ? verdict.by : fields[verdict.by];
    return { ...shown, because: [because], reason: whyItLoses[verdict.by] };
  }
  return {
    ...shown,
    because: verdict.on.map((name) => fields[name]),
    reason: verdict.on.map((name) => whyItMisses(name, facts, connection)).join('; '),
  };
}

/** The members of documents that the conditions are. */
const fields = {
  serverName: 'sni',
  alpn: 'alpn',
  serverPort: 'server_port',
  serverAddr: 'server_addr',
  remoteAddr: 'remote_addr',
} as const;

function conditionsOf({
  serverNames,
  alpn,
  serverPort,
  serverAddr,
  remoteAddr,
}: RouteFacts): Readonly<Record<string, unknown>> {
  return {
    ...(serverNames.length === 0 ? {} : { [fields.serverName]: serverNames }),
    ...(alpn.length === 0 ? {} : { [fields.alpn]: alpn }),
    ...(serverPort === undefined ? {} : { [fields.serverPort]: serverPort }),
    ...(serverAddr === undefined ? {} : { [fields.serverAddr]: serverAddr }),
    ...(remoteAddr === undefined ? {} : { [fields.remoteAddr]: remoteAddr }),
  };
}

const whyItLoses = {
  priority: 'the winner has a higher priority',
  serverName: 'the sni of the winner fits more closely',
  alpn: 'the alpn of the winner fits better',
  serverPort: 'the winner asks for the port',
  serverAddr: 'the server_addr of the winner fits more closely',
  remoteAddr: 'the remote_addr of the winner fits more closely',
  id: 'it asks for the same as the winner, whose id is lower',
} as const;

function whyItMisses(name: ConditionName, facts: RouteFacts, connection: Connection): string {
  const { serverName, alpn, serverPort, serverAddress, remoteAddress } = connection;
  const found = {
    serverName: serverName ?? 'none',
    alpn: alpn?.join(', ') ?? 'none',
    serverPort,
    serverAddr: serverAddress,
    remoteAddr: remoteAddress,
  };
  return `${fields[name]} is ${text(conditionsOf(facts)[fields[name]])}, the connection has ${found[name]}`;
}

function text(condition: unknown): string {
  return Array.isArray(condition) ? condition.join(' or ') : String(condition);
}
