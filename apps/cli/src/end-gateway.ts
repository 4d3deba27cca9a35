import { GatewayError } from '@apisix-ts/errors';
import type { CommandContext } from './command.ts';
import { secondsLine } from './progress.ts';
import { notRunning, pidFilePath, requireRunning, signalDenied } from './running-gateway.ts';
import type { GatewaySignal } from './signals.ts';
import { waitFor } from './waiting.ts';

export interface EndOptions {
  /** Absolute path of the installation. */
  readonly home: string;
  readonly signal: Extract<GatewaySignal, 'SIGTERM' | 'SIGQUIT'>;
  /** Milliseconds; 0 waits for ever. */
  readonly timeoutMs: number;
  /** What a person reads while it takes long. */
  readonly waitingText: string;
}

/**
 * Ends the gateway of an installation and waits until its process is gone.
 * @throws GatewayError `GATEWAY_NOT_RUNNING`, `GATEWAY_PID_INVALID`, `GATEWAY_SIGNAL_DENIED`, `GATEWAY_UNRESPONSIVE`.
 */
export async function endGateway(context: CommandContext, options: EndOptions): Promise<void> {
  const { signals, clock } = context;
  const { home, signal, timeoutMs, waitingText } = options;
  const pid = requireRunning(home, signals);
  const path = pidFilePath(home);
  const delivery = signals.send(pid, signal);
  if (delivery === 'denied') throw signalDenied(pid, path);
  if (delivery === 'gone') throw notRunning(pid, path);

  const line = secondsLine(context, waitingText);
  const isGone = (): true | undefined => (signals.send(pid, 0) === 'gone' ? true : undefined);
  const gone = await waitFor(isGone, { clock, timeoutMs, onWaiting: line.show });
  line.clear();
  if (gone === true) return;
  throw new GatewayError(
    'GATEWAY_UNRESPONSIVE',
    `process ${pid} was told to end (${signal}) and still runs after ${timeoutMs / 1000} s`,
  );
}
