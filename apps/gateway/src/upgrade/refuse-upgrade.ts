import type { Settings } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';

/** @throws GatewayError `GATEWAY_UPGRADE_FAILED` where another process cannot take the place of this one. */
export function refuseUpgrade(settings: Settings, isForeground: boolean): void {
  if (isForeground) {
    throw new GatewayError(
      'GATEWAY_UPGRADE_FAILED',
      'the gateway runs in the foreground, and whoever watches it takes the end of its process for its own: restart it there',
    );
  }
  if (settings.deployment.rules === 'api') {
    throw new GatewayError(
      'GATEWAY_UPGRADE_FAILED',
      'the whole configuration that was sent is only in the memory of this process: restart it, and send it again',
    );
  }
}
