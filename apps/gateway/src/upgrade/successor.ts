import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { StoreWriter } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { Heritage, StoreCall, ToPredecessor, ToSuccessor } from './messages.ts';
import type { SuccessorProgram } from './upgrade-request.ts';

export interface SuccessorOptions {
  readonly program: SuccessorProgram;
  /** For the program, beside what makes it a successor. */
  readonly args: readonly string[];
  /** With descriptors of this process. */
  readonly heritage: Heritage;
  /** Closes the store, so that the successor can open it. Where it rejects, there is no successor. */
  readonly releaseStore: () => Promise<void>;
}

/** The descriptors that every process has, and the channel. */
const FIRST_SOCKET = 4;
const START_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 5_000;

/** A process that takes the place of this one. */
export class Successor {
  readonly #child: ChildProcess;
  readonly #options: SuccessorOptions;
  readonly #ready = Promise.withResolvers<void>();
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #lastCall = 0;

  /** Starts it with the sockets; it listens on them beside this process. @throws GatewayError `GATEWAY_START_FAILED`. */
  constructor(options: SuccessorOptions) {
    this.#options = options;
    const { program, args, heritage } = options;
    const { gateway, services } = heritage;
    const descriptors = [...gateway.sockets.values()].flat().concat([...services.values()]);
    try {
      this.#child = spawn(program.executable, [...program.args, ...args, '--take-over'], {
        argv0: 'apisix-gateway',
        // Its end is not that of this process, nor is a Ctrl-C.
        detached: true,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...descriptors],
        serialization: 'advanced',
      });
    } catch (cause) {
      throw new GatewayError('GATEWAY_START_FAILED', `the new gateway could not be run: ${String(cause)}`, {
        cause,
      });
    }
    this.#ready.promise.catch(() => {
      // Whoever waits for it is told.
    });
    this.#child.on('error', (error) => this.#fail(`could not be run (${error.message})`));
    this.#child.on('exit', (status, signal) =>
      this.#fail(signal === null ? `ended with status ${status}` : `was ended by ${signal}`),
    );
    this.#child.on('message', (message: ToPredecessor) => {
      this.#receive(message).catch((error: unknown) => this.#giveUp(error));
    });
    this.#send({ type: 'inherit', heritage: renumbered(heritage) });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Settles when it serves. Rejects with what it says, or `GATEWAY_START_FAILED`, `GATEWAY_UNRESPONSIVE`, and
   * `GATEWAY_UPGRADE_FAILED` when it does not get what it asks for.
   */
  async whenReady(): Promise<void> {
    const timer = setTimeout(() => {
      this.#ready.reject(
        new GatewayError(
          'GATEWAY_UNRESPONSIVE',
          `the new gateway did not serve within ${START_TIMEOUT_MS / 1000} s and was ended`,
        ),
      );
    }, START_TIMEOUT_MS);
    await this.#ready.promise.finally(() => clearTimeout(timer));
  }

  /** Its store, for what came here before it changed hands. */
  readonly writer: StoreWriter = {
    get: (...args) => this.#call('get', args),
    list: (...args) => this.#call('list', args),
    put: (...args) => this.#call('put', args),
    compareAndSwap: (...args) => this.#call('compareAndSwap', args),
    delete: (...args) => this.#call('delete', args),
  };

  /** It is on its own from now on. */
  letGo(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  /** Ends it, and settles when it is gone. */
  async end(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }

  async #receive(message: ToPredecessor): Promise<void> {
    switch (message.type) {
      case 'wants-store':
        await this.#releaseStore();
        this.#send({ type: 'store-released' });
        break;
      case 'ready':
        this.#ready.resolve();
        break;
      case 'failed':
        this.#ready.reject(new GatewayError(message.code, message.message));
        break;
      case 'store-answer': {
        const call = this.#calls.get(message.call);
        this.#calls.delete(message.call);
        if (message.error === undefined) call?.resolve(message.value);
        else {
          const { code, message: text, detail } = message.error;
          call?.reject(new GatewayError(code, text, { detail }));
        }
        break;
      }
    }
  }

  async #releaseStore(): Promise<void> {
    try {
      await this.#options.releaseStore();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`the store could not be closed (${reason})`, { cause });
    }
  }

  /** @returns what the method of this name answers there. */
  #call<T>(method: StoreCall['method'], args: readonly unknown[]): Promise<T> {
    const call = ++this.#lastCall;
    const answer = Promise.withResolvers<unknown>();
    this.#calls.set(call, answer);
    this.#send({ type: 'store-call', call, method, args });
    return answer.promise as Promise<T>;
  }

  #send(message: ToSuccessor): void {
    // One that has ended is told of by its end.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #fail(how: string): void {
    this.#ready.reject(new GatewayError('GATEWAY_START_FAILED', `the new gateway ${how} before it served`));
    this.#rejectCalls(`the new gateway, which has the store, ${how}`);
  }

  /** What it asked of this process, or answered, was of no use. */
  #giveUp(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `what the new gateway asked for could not be done: ${reason}`;
    this.#ready.reject(new GatewayError('GATEWAY_UPGRADE_FAILED', message, { cause }));
    this.#rejectCalls(`an answer of the new gateway, which has the store, could not be read: ${reason}`);
  }

  #rejectCalls(message: string): void {
    const error = new GatewayError('STORE_UNREACHABLE', message);
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }
}

/** With the descriptors that the sockets have in the successor, where they come one after the other. */
function renumbered({ gateway, services }: Heritage): Heritage {
  let next = FIRST_SOCKET;
  const sockets = new Map(Array.from(gateway.sockets, ([name, own]) => [name, own.map(() => next++)]));
  return {
    gateway: { ...gateway, sockets },
    services: new Map(Array.from(services.keys(), (address) => [address, next++])),
  };
}
