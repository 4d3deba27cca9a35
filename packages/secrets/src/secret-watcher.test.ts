import { GatewayError } from '@apisix-ts/errors';
import { FakeClock } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { envSource } from './env-source.ts';
import type { ManagerConfig, Secret, SecretSourceKind } from './secret-source.ts';
import { SecretWatcher } from './secret-watcher.ts';

const TTL_MS = 300_000;
const RETRY_MS = 60_000;
const cert = '$secret://vault/1/db/cert';
const key = '$secret://vault/1/db/key';

/** A manager whose answers the test gives. */
class HeldManager implements SecretSourceKind {
  readonly name = 'vault';
  readonly isBuiltIn = false;
  /** Reads that were begun and not answered, in order. */
  readonly asked: { readonly what: string; readonly answer: PromiseWithResolvers<Secret> }[] = [];
  /** How often it was asked. */
  reads = 0;

  create(config: ManagerConfig): { read: (path: string) => Promise<Secret> } {
    return {
      read: (path) => {
        this.reads += 1;
        const answer = Promise.withResolvers<Secret>();
        this.asked.push({ what: `${String(config['uri'])} ${path}`, answer });
        return answer.promise;
      },
    };
  }

  /** Answers the read that has waited longest, and lets what follows from it happen. @returns what was asked. */
  async answer(secret: Secret | GatewayError): Promise<string> {
    const read = this.asked.shift();
    if (read === undefined) throw new TypeError('nothing is asked');
    if (secret instanceof GatewayError) read.answer.reject(secret);
    else read.answer.resolve(secret);
    await settled();
    return read.what;
  }
}

/** Promises that are settled have told everyone. */
async function settled(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
}

function openWatcher(env: Readonly<Record<string, string>> = {}) {
  const manager = new HeldManager();
  const clock = new FakeClock();
  const changes: string[][] = [];
  const watcher = new SecretWatcher({
    env,
    ttlMs: TTL_MS,
    retryMs: RETRY_MS,
    clock,
    kinds: [envSource, manager],
    onChange: (references) => void changes.push([...references]),
  });
  return { manager, clock, changes, watcher };
}

/** With `vault/1` there, and the secret `db` read from it once. */
async function openRead(secret: Secret = { cert: 'c1', key: 'k1' }) {
  const opened = openWatcher();
  void opened.watcher.configure('vault/1', { uri: 'one' });
  for (const reference of [cert, key]) void opened.watcher.follow(reference);
  await opened.manager.answer(secret);
  opened.changes.length = 0;
  return opened;
}

const away = new GatewayError('SECRET_UNREACHABLE', 'nobody answers');

describe('a secret', () => {
  test('is read once for all its keys and users', async () => {
    const { watcher, manager, changes } = openWatcher();
    void watcher.configure('vault/1', { uri: 'one' });

    const answers = Promise.all([cert, key, cert].map((reference) => watcher.follow(reference)));
    expect(watcher.find(cert)).toEqual({ text: undefined, error: undefined });
    await manager.answer({ cert: 'c1', key: 'k1' });
    await answers;

    expect(manager.reads).toBe(1);
    expect(watcher.find(cert)).toEqual({ text: 'c1', error: undefined });
    expect(watcher.find(key)).toEqual({ text: 'k1', error: undefined });
    expect(changes).toEqual([[cert, key]]);
  });

  test('is read again when its time is over, and only a change is told', async () => {
    const { watcher, manager, clock, changes } = await openRead();

    clock.advance(TTL_MS - 1);
    expect(manager.asked).toEqual([]);
    clock.advance(1);
    await manager.answer({ cert: 'c1', key: 'k1' });
    expect(changes).toEqual([]);

    clock.advance(TTL_MS);
    await manager.answer({ cert: 'c2', key: 'k2' });
    expect(changes).toEqual([[cert, key]]);
    expect(watcher.find(key).text).toBe('k2');
  });

  test('stays while reading fails, which is told once, and repeated sooner', async () => {
    const { watcher, manager, clock, changes } = await openRead();

    clock.advance(TTL_MS);
    await manager.answer(away);
    clock.advance(RETRY_MS);
    await manager.answer(new GatewayError('SECRET_UNREACHABLE', 'still nobody'));
    expect(changes).toHaveLength(1);
    expect(watcher.find(cert)).toMatchObject({ text: 'c1', error: { message: 'still nobody' } });

    clock.advance(RETRY_MS);
    await manager.answer({ cert: 'c1', key: 'k1' });
    expect(changes).toHaveLength(2);
    expect(watcher.find(cert)).toEqual({ text: 'c1', error: undefined });
    clock.advance(TTL_MS - 1);
    expect(manager.asked).toEqual([]);
  });

  test('that cannot be read at first is read when its manager is back', async () => {
    const { watcher, manager, clock, changes } = openWatcher();
    void watcher.configure('vault/1', { uri: 'one' });
    const answered = watcher.follow(cert);
    await manager.answer(away);
    await answered;
    expect(watcher.find(cert)).toEqual({ text: undefined, error: away });

    clock.advance(RETRY_MS);
    await manager.answer({ cert: 'c1' });

    expect(watcher.find(cert).text).toBe('c1');
    expect(changes).toEqual([[cert], [cert]]);
  });

  test('is another one only if a text in it is', async () => {
    const { manager, clock, changes } = await openRead({ cert: 'c1', other: [1] });

    clock.advance(TTL_MS);
    await manager.answer({ cert: 'c1', other: { deep: [[[]]] } });
    expect(changes).toEqual([]);
    clock.advance(TTL_MS);
    await manager.answer({ cert: 'c1', key: 'k' });
    clock.advance(TTL_MS);
    await manager.answer({ cert: { no: 'text' }, key: 'k' });

    expect(changes).toHaveLength(2);
  });

  test('that lacks a key has its other ones', async () => {
    const { watcher } = await openRead({ cert: 'c1' });

    expect(watcher.find(cert).text).toBe('c1');
    expect(watcher.find(key)).toMatchObject({ text: undefined, error: { code: 'SECRET_NOT_FOUND' } });
  });

  test('is forgotten with its last user, and its timer too', async () => {
    const { watcher, manager, clock } = await openRead();
    void watcher.follow(cert);
    expect(clock.running).toBe(1);

    watcher.unfollow(key);
    watcher.unfollow(cert);
    expect(clock.running).toBe(1);
    watcher.unfollow(cert);
    watcher.unfollow(cert);

    expect(clock.running).toBe(0);
    void watcher.follow(cert);
    expect(manager.reads).toBe(2);
    expect(watcher.find(cert).text).toBeUndefined();
  });

  test('that is forgotten while it is read stays forgotten', async () => {
    const { watcher, manager, clock, changes } = openWatcher();
    void watcher.configure('vault/1', { uri: 'one' });
    void watcher.follow(cert);

    watcher.close();
    await manager.answer({ cert: 'c1' });

    expect(changes).toEqual([]);
    expect(clock.running).toBe(0);
  });

  test('waits for its turn when many are read', async () => {
    const { watcher, manager } = openWatcher();
    void watcher.configure('vault/1', { uri: 'one' });
    for (let nth = 0; nth < 40; nth += 1) void watcher.follow(`$secret://vault/1/${nth}/cert`);
    expect(manager.asked).toHaveLength(16);

    expect(await manager.answer({ cert: 'c' })).toBe('one 0');
    await manager.answer(away);

    expect(manager.asked.at(-1)?.what).toBe('one 17');
    expect(manager.asked).toHaveLength(16);
  });
});

describe('a manager', () => {
  test('that changes is asked for everything again, and the last answer stays until it has answered', async () => {
    const { watcher, manager, changes } = await openRead();

    const answered = watcher.configure('vault/1', { uri: 'two' });
    expect(watcher.find(cert)).toEqual({ text: 'c1', error: undefined });
    expect(await manager.answer({ cert: 'c2', key: 'k1' })).toBe('two db');
    await answered;

    expect(watcher.find(cert).text).toBe('c2');
    expect(changes).toEqual([[cert, key]]);
  });

  test('that changes while it is asked is not believed any more', async () => {
    const { watcher, manager, clock } = openWatcher();
    void watcher.configure('vault/1', { uri: 'one' });
    void watcher.follow(cert);
    void watcher.configure('vault/1', { uri: 'two' });

    await manager.answer({ cert: 'of one' });
    expect(watcher.find(cert).text).toBeUndefined();
    await manager.answer({ cert: 'of two' });

    expect(watcher.find(cert).text).toBe('of two');
    expect(clock.running).toBe(1);
  });

  test('that is deleted takes with it what was read', async () => {
    const { watcher, changes, clock } = await openRead();

    await watcher.configure('vault/1', undefined);

    expect(watcher.find(cert)).toMatchObject({
      text: undefined,
      error: {
        code: 'SECRET_MANAGER_UNKNOWN',
        message: 'expected the resource "secrets/vault/1", found none',
      },
    });
    expect(changes).toEqual([[cert, key]]);
    expect(clock.running).toBe(0);
  });

  test('that comes after its references is asked then', async () => {
    const { watcher, manager } = openWatcher();
    await watcher.follow(cert);
    expect(watcher.find(cert).error?.code).toBe('SECRET_MANAGER_UNKNOWN');

    const answered = watcher.configure('vault/1', { uri: 'one' });
    await manager.answer({ cert: 'c1' });
    await answered;

    expect(watcher.find(cert).text).toBe('c1');
    expect(watcher.referencesTo('vault/1')).toEqual([cert]);
  });

  test('without references is not asked', () => {
    const { watcher, manager, clock } = openWatcher();

    expect(watcher.configure('vault/1', { uri: 'one' })).toBeUndefined();
    expect([manager.reads, clock.running]).toEqual([0, 0]);
  });

  test('that this gateway cannot read from is named', async () => {
    const { watcher } = openWatcher();
    void watcher.configure('aws/1', { access_key_id: 'x' });
    await watcher.follow('$secret://aws/1/db/cert');

    expect(watcher.find('$secret://aws/1/db/cert').error).toMatchObject({
      code: 'SECRET_MANAGER_UNAVAILABLE',
      message: 'expected a manager that this gateway can read from (vault), found "aws"',
    });
  });
});

describe('the environment', () => {
  test('is read once, without a timer', async () => {
    const { watcher, clock } = openWatcher({ PAIR: '{"cert":"c"}' });
    await watcher.follow('$env://PAIR/cert');
    await watcher.follow('$ENV://ABSENT');

    expect(watcher.find('$env://PAIR/cert').text).toBe('c');
    expect(watcher.find('$ENV://ABSENT').error).toMatchObject({
      code: 'SECRET_NOT_FOUND',
      message: 'expected the environment variable "ABSENT", found none: set it and start the gateway anew',
    });
    expect(clock.running).toBe(0);
  });
});

test('a reference that cannot be understood is followed without a fuss', async () => {
  const { watcher } = openWatcher();
  await watcher.follow('$secret://vault');

  expect(watcher.find('$secret://vault').error?.code).toBe('SECRET_REFERENCE_INVALID');
  watcher.unfollow('$secret://vault');
});
