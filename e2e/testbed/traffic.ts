import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { someBytes } from '@apisix-ts/testkit';

export interface TrafficOptions {
  /** Sessions that stay open, each with an exchange every `exchangeEveryMs`. */
  readonly sessions: number;
  /** New connections a second, each with one exchange and an end in order. */
  readonly comingsPerSecond: number;
}

/** What went through the gateway since the start. */
export interface TrafficReport {
  /** Connections that came, were served and went. */
  readonly served: number;
  /** Answers that the open sessions got. */
  readonly exchanges: number;
  /** What no client should see: refused, reset, cut off, silent, other bytes. */
  readonly failures: readonly string[];
}

/** Clients of an echo server behind a gateway, who check every byte. */
export interface Traffic {
  report(): TrafficReport;
  /** Settles after this many further connections and a further exchange on each open session. */
  flows(connections: number): Promise<void>;
  /** Ends the open sessions in order, and waits for all clients. Idempotent. */
  stop(): Promise<TrafficReport>;
}

const exchangeEveryMs = 250;
/** How often the load is dealt out. */
const tickMs = 10;
/** Nothing on loopback takes longer, however busy the machine. */
const patienceMs = 60_000;
const exchangeBytes = 64;
/** Every exchange takes its bytes from here, at a place of its own. */
const sample = Buffer.from(someBytes(65_536));

/** Opens the sessions, one exchange each, then begins. Rejects when one cannot be opened. */
export async function startTraffic(
  port: number,
  { sessions: count, comingsPerSecond }: TrafficOptions,
): Promise<Traffic> {
  const failures: string[] = [];
  const sessions = Array.from({ length: count }, () => new Client(port, failures));
  await Promise.all(sessions.map((session) => session.exchange()));
  const coming = new Set<Promise<void>>();
  let served = 0;

  const comeAndGo = async (): Promise<void> => {
    const client = new Client(port, failures);
    if ((await client.exchange()) && (await client.end())) served += 1;
  };
  const ticksPerRound = exchangeEveryMs / tickMs;
  let tick = 0;
  let due = 0;
  const timer = setInterval(() => {
    // A machine that is late does not get everything at once.
    due = Math.min(due + (comingsPerSecond * tickMs) / 1000, comingsPerSecond);
    for (; due >= 1; due -= 1) {
      const one = comeAndGo().finally(() => coming.delete(one));
      coming.add(one);
    }
    tick += 1;
    for (let index = tick % ticksPerRound; index < count; index += ticksPerRound) {
      const session = sessions[index];
      if (session?.isIdle === true) void session.exchange();
    }
  }, tickMs);

  const report = (): TrafficReport => ({
    served,
    exchanges: sum(sessions.map(({ exchanges }) => exchanges)),
    failures: [...failures],
  });

  return {
    report,
    async flows(connections) {
      const before = served;
      const exchanged = sessions.map((session) => session.exchanges);
      const isDone = (): boolean =>
        served >= before + connections &&
        sessions.every((session, index) => session.exchanges > (exchanged[index] ?? 0));
      await until(() => isDone() || failures.length > 0, 'the traffic to flow');
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(coming);
      await Promise.all(sessions.map((session) => session.end()));
      return report();
    },
  };
}

let nextPlace = 0;

/** One connection. Whatever goes wrong is told once. */
class Client {
  exchanges = 0;
  readonly #socket: Socket;
  readonly #failures: string[];
  readonly #received: Buffer[] = [];
  #expected: Buffer | undefined;
  #answered: ((isRight: boolean) => void) | undefined;
  #ended: ((isRight: boolean) => void) | undefined;
  #state: 'open' | 'ending' | 'over' = 'open';

  constructor(port: number, failures: string[]) {
    this.#failures = failures;
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.setTimeout(patienceMs, () => this.#fail(`nothing came for ${patienceMs} ms`));
    this.#socket.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message));
    this.#socket.on('close', () => this.#close());
  }

  get isIdle(): boolean {
    return this.#state === 'open' && this.#answered === undefined;
  }

  /** Sends bytes. @returns whether they came back as they are. */
  exchange(): Promise<boolean> {
    if (this.#state === 'over') return Promise.resolve(false);
    const place = (nextPlace += 97) % (sample.length - exchangeBytes);
    this.#expected = sample.subarray(place, place + exchangeBytes);
    this.#socket.write(this.#expected);
    return new Promise((resolve) => (this.#answered = resolve));
  }

  /** Sends FIN after the last answer. @returns whether that of the other end came, and nothing else. */
  async end(): Promise<boolean> {
    await until(() => this.#answered === undefined, 'the last answer');
    if (this.#state === 'over') return false;
    this.#state = 'ending';
    this.#socket.end();
    return new Promise((resolve) => (this.#ended = resolve));
  }

  #take(bytes: Buffer): void {
    const expected = this.#expected;
    this.#received.push(bytes);
    const received = Buffer.concat(this.#received);
    if (expected === undefined || !expected.subarray(0, received.length).equals(received)) {
      this.#fail('other bytes than were sent');
    } else if (received.length === expected.length) {
      this.#received.length = 0;
      this.#expected = undefined;
      this.exchanges += 1;
      this.#tellAnswer(true);
    }
  }

  #close(): void {
    if (this.#state === 'open') this.#fail('closed by the gateway');
    if (this.#state === 'ending') {
      this.#state = 'over';
      this.#ended?.(true);
    }
  }

  #fail(what: string): void {
    if (this.#state === 'over') return;
    this.#failures.push(`${what}, after ${this.exchanges} exchanges`);
    this.#state = 'over';
    this.#socket.destroy();
    this.#tellAnswer(false);
    this.#ended?.(false);
  }

  #tellAnswer(isRight: boolean): void {
    const tell = this.#answered;
    this.#answered = undefined;
    tell?.(isRight);
  }
}

/** Looks every few milliseconds. */
async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}
