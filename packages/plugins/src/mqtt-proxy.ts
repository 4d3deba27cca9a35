import { ConnectPacketParser } from '@apisix-ts/core';
import type { MqttConnect, PluginPeek, PluginRefusal, StreamPlugin } from '@apisix-ts/core';

export interface MqttProxy {
  /** `MQTT`; `MQIsdp` in MQTT 3.1. */
  readonly protocol_name: string;
  /** 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5. */
  readonly protocol_level: number;
}

/** What `preread_buffer_size` and `preread_timeout` of nginx are by default. */
const LIMIT_BYTES = 16_384;
const TIMEOUT_MS = 30_000;

/** Lets clients in that speak MQTT of one version, and sets `mqtt_client_id`. */
export const mqttProxy: StreamPlugin<MqttProxy> = {
  name: 'mqtt-proxy',
  priority: 1000,
  version: 0.1,
  schema: {
    type: 'object',
    properties: {
      protocol_name: { type: 'string', default: 'MQTT' },
      protocol_level: { type: 'integer' },
    },
    required: ['protocol_level'],
  },
  compile({ protocol_name: protocolName, protocol_level: protocolLevel }) {
    return {
      preread(session) {
        if (session.transport === 'udp') return refuse('expect MQTT over TCP, but got a datagram');
        const parser = new ConnectPacketParser({ protocolName, protocolLevel, limitBytes: LIMIT_BYTES });
        const step: PluginPeek<MqttConnect> = {
          peek: {
            parser,
            limitBytes: LIMIT_BYTES,
            timeoutMs: TIMEOUT_MS,
            onOutcome(outcome) {
              if (outcome.kind === 'malformed') return refuse(outcome.reason);
              if (outcome.kind === 'timeout') return refuse(`${parser.shortage} in ${TIMEOUT_MS / 1000} s`);
              if (outcome.kind !== 'parsed') return refuse(parser.shortage);
              const { clientId } = outcome.value;
              // Without a value, upstreams hash the client's address.
              if (clientId !== '') session.setVariable('mqtt_client_id', clientId);
              return undefined;
            },
          },
        };
        return step;
      },
    };
  },
};

function refuse(reason: string): PluginRefusal {
  return { refuse: 400, reason };
}
