import type { StoreWriter } from '@apisix-ts/config';
import { isGatewayError } from '@apisix-ts/errors';
import type { Heritage, StoreAnswer, StoreCall, ToPredecessor, ToSuccessor } from './messages.ts';

/** The process whose place this one takes, as seen from here: its parent, at the other end of the channel. */
export class Predecessor {
  readonly heritage: Heritage;
  readonly #channel: NodeJS.Process;
  readonly #released = Promise.withResolvers<void>();
  readonly #writer = Promise.withResolvers<StoreWriter>();

  /** Waits for what there is to take over. */
  static meet(channel: NodeJS.Process): Promise<Predecessor> {
    return new Promise((resolve) => {
      channel.once('message', (message: ToSuccessor) => {
        if (message.type !== 'inherit') throw new TypeError(`expected an inheritance, found ${message.type}`);
        resolve(new Predecessor(channel, message.heritage));
      });
    });
  }

  private constructor(channel: NodeJS.Process, heritage: Heritage) {
    this.#channel = channel;
    this.heritage = heritage;
    channel.on('message', (message: ToSuccessor) => {
      if (message.type === 'store-released') this.#released.resolve();
      if (message.type === 'store-call') void this.#carryOut(message);
    });
    // One that died has the store no longer.
    channel.once('disconnect', () => this.#released.resolve());
  }

  /** Settles when the store is closed there. */
  async releaseStore(): Promise<void> {
    this.#send({ type: 'wants-store' });
    await this.#released.promise;
  }

  /** Carries out here what the predecessor was asked to do and cannot any more. */
  serve(writer: StoreWriter): void {
    this.#writer.resolve(writer);
  }

  async #carryOut({ call, method, args }: StoreCall): Promise<void> {
    this.#send({ type: 'store-answer', call, ...(await this.#outcome(method, args)) });
  }

  async #outcome(
    method: keyof StoreWriter,
    args: readonly unknown[],
  ): Promise<Pick<StoreAnswer, 'value' | 'error'>> {
    const writer = await this.#writer.promise;
    try {
      return { value: await Reflect.apply(writer[method], writer, args) };
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      return { error: { code: error.code, message: error.message, detail: error.detail } };
    }
  }

  #send(message: ToPredecessor): void {
    if (this.#channel.connected) this.#channel.send?.(message);
  }
}
