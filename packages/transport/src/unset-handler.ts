import type { WireHandler } from '@apisix-ts/core';

/** The handler of a wire that nobody listens to yet: bytes and ends cannot come before `resume`, a closing may. */
export const unsetHandler: WireHandler = {
  onData() {
    throw new TypeError('a wire was resumed before its handler was set');
  },
  onWritten() {},
  onEnd() {
    throw new TypeError('a wire was resumed before its handler was set');
  },
  onClosed() {},
};
