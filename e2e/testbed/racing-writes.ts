import type { EtcdCluster, EtcdMember } from '@apisix-ts/testkit';

const WRITERS = 5;
const KEYS = 60;

export interface RacingWrites {
  /** Settles when so many writes were answered. */
  reached(count: number): Promise<void>;
  /** Settles when all were. */
  readonly done: Promise<void>;
}

/**
 * Several clients that put and delete the same upstreams, all at once and each as fast as it is answered. A write that
 * fails is sent again through another member, as often as it takes.
 * @param token of a user of etcd, if it asks for one.
 */
export function raceWrites(cluster: EtcdCluster, total: number, token?: string): RacingWrites {
  let answered = 0;
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const write = async (member: EtcdMember, writer: number, count: number): Promise<void> => {
    const key = base64(`/apisix/upstreams/${(count * 7 + writer) % KEYS}`);
    if (count % 5 === 4) await member.request('kv/deleterange', { key }, token);
    else await member.request('kv/put', { key, value: base64(upstream(`${writer}/${count}`)) }, token);
  };

  async function race(writer: number): Promise<void> {
    let turn = writer;
    for (let count = 0; count < total / WRITERS;) {
      const member = cluster.members[turn % cluster.members.length];
      if (member === undefined) throw new TypeError('a cluster has members');
      try {
        await write(member, writer, count);
      } catch {
        // Whether it happened is unknown, and does not matter: in the end etcd itself is asked.
        turn += 1;
        continue;
      }
      count += 1;
      answered += 1;
      for (const waiter of waiting) if (waiter.count <= answered) waiter.resolve();
      waiting = waiting.filter((waiter) => waiter.count > answered);
    }
  }

  const done = Promise.all(Array.from({ length: WRITERS }, (_, writer) => race(writer)));
  return {
    reached: (count) =>
      new Promise((resolve) => {
        if (answered >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    done: done.then(() => undefined),
  };
}

/** Every upstream that etcd has, by its id. */
export async function upstreamsIn(
  cluster: EtcdCluster,
  token?: string,
): Promise<Readonly<Record<string, string>>> {
  const leader = await cluster.leader();
  const range = { key: base64('/apisix/upstreams/'), range_end: base64('/apisix/upstreams0') };
  // etcd's own shape of the answer; it leaves out what is empty.
  const { kvs = [] } = (await leader.request('kv/range', range, token)) as {
    readonly kvs?: readonly { readonly key: string; readonly value: string }[];
  };
  return Object.fromEntries(
    kvs.map(({ key, value }) => [
      text(key).slice('/apisix/upstreams/'.length),
      mark(JSON.parse(text(value))),
    ]),
  );
}

/** What `raceWrites` put there. */
export function mark(document: Readonly<Record<string, unknown>>): string {
  return String(document['desc']);
}

function upstream(desc: string): string {
  return JSON.stringify({ type: 'roundrobin', nodes: { '127.0.0.1:1': 1 }, desc });
}

export function base64(plain: string): string {
  return Buffer.from(plain).toString('base64');
}

function text(encoded: string): string {
  return Buffer.from(encoded, 'base64').toString();
}
