export { chooseDriver } from './choose-driver.ts';
export type { DriverChoice } from './choose-driver.ts';
export type {
  Dial,
  DialHandler,
  DialOptions,
  Listener,
  ListenHandler,
  ListenOptions,
  WireDriver,
} from './driver.ts';
export { createHandleDriver } from './handle/handle-driver.ts';
export { probePort } from './probe-port.ts';
export { selfTest } from './self-test.ts';
export { createSocketDriver } from './socket/socket-driver.ts';
export { SocketWire } from './socket/socket-wire.ts';
export { systemClock } from './system-clock.ts';
