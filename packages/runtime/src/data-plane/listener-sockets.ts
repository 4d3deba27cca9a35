import type { ListenHandler, ListenOptions, WireDriver, WireListener } from '@apisix-ts/transport';

/** The sockets that one worker has of one listener: its own, or those that it inherited. */
export interface ListenerSockets extends Pick<WireListener, 'close' | 'retire' | 'useSockets'> {
  readonly descriptors: readonly number[];
}

/**
 * Opens a listener.
 * @param inherited descriptors of another process's sockets: several where it had more workers. Empty: a socket of its own.
 * Rejects with `LISTENER_*`; nothing is left open then.
 */
export async function openSockets(
  driver: WireDriver,
  inherited: readonly number[],
  options: Omit<ListenOptions, 'inherited'>,
  handler: ListenHandler,
): Promise<ListenerSockets> {
  const wanted = inherited.length === 0 ? [undefined] : inherited;
  const opening = wanted.map((descriptor) => driver.listen({ ...options, inherited: descriptor }, handler));
  const outcomes = await Promise.allSettled(opening);
  const sockets = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const close = (): void => {
    for (const socket of sockets) socket.close();
  };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    close();
    throw failed.reason;
  }
  return {
    close,
    async retire() {
      await Promise.all(sockets.map((socket) => socket.retire()));
    },
    useSockets(isWanted) {
      for (const socket of sockets) socket.useSockets(isWanted);
    },
    get descriptors() {
      return sockets.map(({ descriptor }) => descriptor);
    },
  };
}
