import type { WheelClock } from '@apisix-ts/core';

/** The wheel's clock in a running gateway. Its timer does not keep the process alive. */
export const systemClock: WheelClock = {
  nowMs() {
    return performance.now();
  },
  every(intervalMs, tick) {
    const timer = setInterval(tick, intervalMs).unref();
    return () => clearInterval(timer);
  },
};
