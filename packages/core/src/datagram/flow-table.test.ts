import { FakeClock } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { TimerWheel } from '../pipe/timer-wheel.ts';
import type {
  DatagramLink,
  DatagramLinkHandler,
  DatagramPort,
  DatagramPortHandler,
} from './datagram-port.ts';
import { FlowTable } from './flow-table.ts';
import type { Flow, FlowResult } from './flow.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

class FakePort implements DatagramPort {
  handler: DatagramPortHandler = { onDatagram() {}, onClosed() {} };
  readonly sent: string[] = [];
  isFull = false;

  localAddressFor(): string {
    return '192.0.2.1';
  }

  send(view: Uint8Array, address: string, port: number): boolean {
    if (!this.isFull) this.sent.push(`${Buffer.from(view).toString()} to ${address}:${port}`);
    return !this.isFull;
  }

  /** A client's datagram arrives. */
  receive(text: string, port: number, address = '198.51.100.1'): void {
    this.handler.onDatagram(bytes(text), address, port);
  }
}

class FakeLink implements DatagramLink {
  handler: DatagramLinkHandler = { onDatagram() {}, onFailure() {} };
  readonly sent: string[] = [];
  isClosed = false;
  isFull = false;

  send(view: Uint8Array): boolean {
    if (!this.isFull) this.sent.push(Buffer.from(view).toString());
    return !this.isFull;
  }

  close(): void {
    this.isClosed = true;
  }

  refuse(unsent?: string): void {
    this.isClosed = true;
    const failure = { kind: 'refused', errno: 'ECONNREFUSED' } as const;
    this.handler.onFailure(failure, unsent === undefined ? undefined : bytes(unsent));
  }
}

interface Ending extends FlowResult {
  readonly client: number;
  readonly counts: readonly number[];
}

/** A table with one port, whose sessions all get links of their own. */
function setUp({ limit = 100, idleTimeoutMs = 1000, isRefusing = false } = {}) {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const table = new FlowTable({ wheel, limit });
  const port = new FakePort();
  const links: FakeLink[] = [];
  const endings: Ending[] = [];
  const flows: Flow[] = [];
  table.attach(port, (made) => ({
    connect() {
      flows.push(made);
      if (isRefusing) return undefined;
      const link = new FakeLink();
      links.push(link);
      return { link, idleTimeoutMs };
    },
    onEnded(flow, result) {
      const { bytesFromClient, bytesToNode, bytesFromNode, bytesToClient } = flow;
      const counts = [bytesFromClient, bytesToNode, bytesFromNode, bytesToClient];
      endings.push({ client: flow.clientPort, counts, ...result });
    },
  }));
  const link = (index: number): FakeLink => {
    const found = links[index];
    if (found === undefined) throw new TypeError(`no link ${index} was made`);
    return found;
  };
  return { clock, wheel, table, port, links, link, flows, endings };
}

const ended = { errno: undefined, counts: [1, 1, 0, 0] };

describe('a flow', () => {
  test('passes datagrams both ways, each as one, empty ones too', () => {
    const { port, link, links } = setUp();

    port.receive('a', 1);
    port.receive('', 1);
    link(0).handler.onDatagram(bytes('b'));
    link(0).handler.onDatagram(bytes(''));

    expect(links).toHaveLength(1);
    expect(link(0).sent).toEqual(['a', '']);
    expect(port.sent).toEqual(['b to 198.51.100.1:1', ' to 198.51.100.1:1']);
  });

  test('belongs to one address and port of a client on one port of ours', () => {
    const { port, table, link } = setUp();
    const other = new FakePort();
    const made: FakeLink[] = [];
    table.attach(other, () => ({
      connect() {
        const own = new FakeLink();
        made.push(own);
        return { link: own, idleTimeoutMs: 1000 };
      },
      onEnded() {},
    }));

    port.receive('a', 1);
    port.receive('b', 11, '198.51.100.1');
    port.receive('c', 1, '198.51.100.11');
    other.receive('d', 1);

    expect(table.size).toBe(4);
    expect([link(0).sent, link(1).sent, link(2).sent, made[0]?.sent]).toEqual([['a'], ['b'], ['c'], ['d']]);
  });

  test('ends when no datagram has passed either way, and not earlier', () => {
    const { clock, wheel, port, link, endings, table } = setUp({ idleTimeoutMs: 1000 });

    port.receive('a', 1);
    clock.advance(900);
    port.receive('a', 1);
    clock.advance(900);
    link(0).handler.onDatagram(bytes('b'));
    clock.advance(1000);
    expect(endings).toEqual([]);
    clock.advance(400);

    expect(endings).toEqual([{ client: 1, code: undefined, errno: undefined, counts: [2, 2, 1, 1] }]);
    expect(link(0).isClosed).toBe(true);
    expect([table.size, wheel.size]).toEqual([0, 0]);
  });

  test('of a client that comes back is a new one', () => {
    const { clock, port, links } = setUp({ idleTimeoutMs: 1000 });
    port.receive('a', 1);
    clock.advance(2000);

    port.receive('b', 1);

    expect(links.map(({ sent }) => sent)).toEqual([['a'], ['b']]);
  });

  test('counts what was dropped as received and not as sent', () => {
    const { port, link, table, endings } = setUp();
    port.receive('a', 1);
    link(0).isFull = true;
    port.isFull = true;

    port.receive('bb', 1);
    link(0).handler.onDatagram(bytes('ccc'));
    table.close('SESSION_CLOSED_BY_SHUTDOWN');

    expect(endings[0]?.counts).toEqual([3, 1, 3, 0]);
  });

  test('without a way to a node is forgotten at once', () => {
    const { port, table, wheel, endings } = setUp({ isRefusing: true });

    port.receive('a', 1);

    expect([table.size, wheel.size]).toEqual([0, 0]);
    expect(endings).toEqual([]);
  });
});

describe('a refusal', () => {
  test('ends the session, and the next datagram begins another one', () => {
    const { port, link, links, endings, table } = setUp();
    port.receive('a', 1);

    link(0).refuse();
    expect(endings).toEqual([
      { client: 1, code: 'UPSTREAM_CONNECT_REFUSED', errno: 'ECONNREFUSED', counts: [1, 1, 0, 0] },
    ]);
    port.receive('bb', 1);
    table.close('SESSION_CLOSED_BY_SHUTDOWN');

    expect(links.map(({ sent }) => sent)).toEqual([['a'], ['bb']]);
    expect(endings[1]?.counts).toEqual([2, 2, 0, 0]);
  });

  test('that a later datagram meets does not cost that one', () => {
    const { port, link, links, endings, table } = setUp();
    port.receive('a', 1);
    port.receive('bb', 1);

    link(0).refuse('bb');
    table.close('SESSION_CLOSED_BY_SHUTDOWN');

    expect(links[1]?.sent).toEqual(['bb']);
    expect(endings.map(({ counts }) => counts)).toEqual([
      [1, 1, 0, 0],
      [2, 2, 0, 0],
    ]);
  });

  test('is remembered as long as a session would have lived', () => {
    const { clock, wheel, port, link, endings, table } = setUp({ idleTimeoutMs: 1000 });
    port.receive('a', 1);
    link(0).refuse();

    clock.advance(900);
    expect(table.size).toBe(1);
    clock.advance(600);

    expect([table.size, wheel.size, endings.length]).toEqual([0, 0, 1]);
  });
});

describe('a full table', () => {
  test('ends the flow that has been idle longest', () => {
    const { port, table, link, endings } = setUp({ limit: 3 });
    port.receive('a', 1);
    port.receive('b', 2);
    port.receive('c', 3);
    port.receive('a', 1);
    link(1).handler.onDatagram(bytes('answer'));

    port.receive('d', 4);

    expect(endings).toMatchObject([{ client: 3, code: 'SESSION_EVICTED' }]);
    expect(link(2).isClosed).toBe(true);
    expect(table.size).toBe(3);
  });

  test('keeps its order through any number of changes', () => {
    const { port, table, endings } = setUp({ limit: 50 });
    // The model: clients by their last datagram, oldest first.
    const model: number[] = [];
    const evicted: number[] = [];
    let seed = 1;
    for (let step = 0; step < 5000; step += 1) {
      seed = (seed * 48_271) % 2_147_483_647;
      const client = 1 + (seed % 80);
      const known = model.indexOf(client);
      if (known >= 0) model.splice(known, 1);
      else if (model.length === 50) evicted.push(...model.splice(0, 1));
      model.push(client);
      port.receive('x', client);
    }

    expect(endings.map(({ client }) => client)).toEqual(evicted);
    expect(evicted.length).toBeGreaterThan(1000);
    expect(table.size).toBe(50);
  });

  test('with room for one serves clients in turn', () => {
    const { port, links, table } = setUp({ limit: 1 });

    for (const client of [1, 2, 1]) port.receive('x', client);

    expect(links.map(({ isClosed }) => isClosed)).toEqual([true, true, false]);
    expect(table.size).toBe(1);
  });

  test('can be told which flow to spare', () => {
    const { port, table, endings, flows } = setUp();
    port.receive('a', 1);
    port.receive('b', 2);
    port.receive('c', 3);

    const [first, second] = flows;
    expect([table.evict(first), table.evict(second)]).toEqual([true, true]);
    expect(endings.map(({ client }) => client)).toEqual([2, 1]);
    expect([table.evict(flows[2]), table.size]).toEqual([false, 1]);
  });
});

describe('draining', () => {
  test('takes no new client, and ends sessions after a short silence', () => {
    const { clock, port, link, links, endings, table } = setUp({ idleTimeoutMs: 60_000 });
    port.receive('a', 1);

    table.drain(2000);
    port.receive('b', 2);
    clock.advance(1900);
    link(0).handler.onDatagram(bytes('answer'));
    clock.advance(1900);
    expect(endings).toEqual([]);
    clock.advance(1000);

    expect(endings).toMatchObject([{ client: 1, code: undefined }]);
    expect(links).toHaveLength(1);
  });

  test('holds for a session that begins after a refusal', () => {
    const { clock, port, link, endings, table } = setUp({ idleTimeoutMs: 60_000 });
    port.receive('a', 1);
    table.drain(2000);
    link(0).refuse();

    port.receive('b', 1);
    clock.advance(3000);

    expect(endings).toHaveLength(2);
    expect(table.size).toBe(0);
  });
});

test('a port that closes ends its flows, and says why', () => {
  const { port, endings, table } = setUp();
  port.receive('a', 1);
  port.receive('b', 2);

  port.handler.onClosed('EADDRNOTAVAIL');

  expect(endings).toMatchObject([
    { client: 1, code: 'DOWNSTREAM_LOST', errno: 'EADDRNOTAVAIL' },
    { client: 2, code: 'DOWNSTREAM_LOST', errno: 'EADDRNOTAVAIL' },
  ]);
  expect(table.size).toBe(0);
});

test('closing ends every flow', () => {
  const { port, endings, table, wheel } = setUp();
  port.receive('a', 1);
  port.receive('b', 2);

  table.close('SESSION_CLOSED_BY_SHUTDOWN');

  expect(endings).toEqual([
    { client: 1, code: 'SESSION_CLOSED_BY_SHUTDOWN', ...ended },
    { client: 2, code: 'SESSION_CLOSED_BY_SHUTDOWN', ...ended },
  ]);
  expect([table.size, wheel.size]).toEqual([0, 0]);
});
