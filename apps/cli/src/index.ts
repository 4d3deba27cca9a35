export type { Command, CommandContext, Output } from './command.ts';
export { runCommandLine } from './command-line.ts';
export { findGatewayProgram, GATEWAY_NAME } from './gateway-program.ts';
export type { GatewayProgram } from './gateway-program.ts';
export { processSignals } from './signals.ts';
export type { Delivery, GatewaySignal, Signals } from './signals.ts';
