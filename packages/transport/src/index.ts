export { chooseDriver } from './choose-driver.ts';
export type { DriverChoice } from './choose-driver.ts';
export { isWildcard, listenForDatagrams } from './datagram/datagram-listener.ts';
export type {
  AddressOptions,
  DatagramListenHandler,
  DatagramListenOptions,
} from './datagram/datagram-listener.ts';
export { openDatagramLink } from './datagram/datagram-link.ts';
export { findAddressesOnce } from './datagram/local-addresses.ts';
export type {
  Dial,
  DialHandler,
  DialOptions,
  Listener,
  ListenHandler,
  ListenOptions,
  WireDriver,
  WireListener,
} from './driver.ts';
export { formatEndpoint, toTarget } from './endpoint.ts';
export { createHandleDriver } from './handle/handle-driver.ts';
export { ownShortage } from './own-shortage.ts';
export { probeDatagramPort, probePort } from './probe-port.ts';
export { selfTest } from './self-test.ts';
export { createSocketDriver } from './socket/socket-driver.ts';
export { SocketWire } from './socket/socket-wire.ts';
export { systemClock } from './system-clock.ts';
export { CertificateStore } from './tls/certificate-store.ts';
export type {
  Certificate,
  CertificatePair,
  CertificateSpec,
  ClientAuthority,
  NameConflict,
  TlsVersion,
} from './tls/certificate-store.ts';
export { compileUpstreamTls, dialTls } from './tls/dial-tls.ts';
export type {
  TlsDialHandler,
  TlsDialOptions,
  UpstreamTls,
  UpstreamTlsOptions,
  UpstreamVerification,
} from './tls/dial-tls.ts';
export type { HandshakeOptions } from './tls/handshakes.ts';
export { TlsAcceptor } from './tls/tls-acceptor.ts';
export type { TlsAccept, TlsAcceptHandler, TlsAcceptOptions } from './tls/tls-acceptor.ts';
export { TlsWire } from './tls/tls-wire.ts';
export type { TlsFacts } from './tls/tls-wire.ts';
