import { parseDurationMs } from '@apisix-ts/config';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';

/**
 * A time on the command line, in seconds: `90`, `90s`, `1h 30m`.
 * @param option what it was given as.
 * @throws GatewayError `CONTROL_REQUEST_REFUSED`.
 */
export function readSeconds(option: string, text: string): number {
  try {
    return parseDurationMs(text) / 1000;
  } catch (cause) {
    if (!isGatewayError(cause)) throw cause;
    throw new GatewayError(
      'CONTROL_REQUEST_REFUSED',
      `expected a time such as 90s or 1h as --${option}, found ${text}`,
      { cause },
    );
  }
}
