import { crc32 } from 'node:zlib';
import { splitTemplate } from '@apisix-ts/core';
import type { PluginSession, PluginStep, StreamPlugin } from '@apisix-ts/core';

export interface LimitConn {
  /** Sessions with the same key that go on at once. */
  readonly conn: number;
  /** How many more there may be, which wait first. */
  readonly burst: number;
  /** How long, for every `conn` sessions that were there before. Seconds. */
  readonly default_conn_delay: number;
  /** The name of a variable, or a text with `$name` and `${name}` in it. */
  readonly key: string;
  readonly key_type: 'var' | 'var_combination';
  /** Without effect on this layer. */
  readonly only_use_default_delay: boolean;
}

/** Limits how many sessions with the same key there are at a time, over all workers. */
export const limitConn: StreamPlugin<LimitConn> = {
  name: 'limit-conn',
  priority: 1003,
  version: 0.1,
  schema: {
    type: 'object',
    properties: {
      conn: { type: 'integer', exclusiveMinimum: 0 },
      burst: { type: 'integer', minimum: 0 },
      default_conn_delay: { type: 'number', exclusiveMinimum: 0 },
      only_use_default_delay: { type: 'boolean', default: false },
      key: { type: 'string' },
      key_type: { type: 'string', enum: ['var', 'var_combination'], default: 'var' },
    },
    required: ['conn', 'burst', 'default_conn_delay', 'key'],
  },
  compile(configuration, host) {
    const { owner, counts } = host;
    const { conn, burst, default_conn_delay: delaySeconds, key: wanted } = configuration;
    const group = `${owner}:${hashOf(configuration)}:`;
    const find = compileKey(configuration);
    const most = conn + burst;
    let isTold = false;
    return {
      preread(session): PluginStep {
        const found = find(session);
        // Once is enough: a key that is empty for one client mostly is for the next.
        if (found === undefined && !isTold) {
          host.log('info', 'The value of the configured key is empty, use client IP instead', {
            key: wanted,
          });
          isTold = true;
        }
        const value = found ?? session.remoteAddress;
        const key = group + value;
        const count = counts.enter(key, most);
        if (count === undefined) {
          return {
            refuse: 500,
            reason: `expected room to count sessions with the key "${value}", found none`,
          };
        }
        if (count === 0) {
          const reason = `expected at most ${most} sessions at a time with the key "${value}", found as many`;
          return { refuse: 503, reason };
        }
        session.onEnd(() => counts.leave(key));
        if (count <= conn) return undefined;
        return { pauseMs: delaySeconds * 1000 * Math.floor((count - 1) / conn) };
      },
    };
  },
};

/** Another configuration counts anew. */
function hashOf({ conn, burst, default_conn_delay: delay, key, key_type: type }: LimitConn): number {
  return crc32(JSON.stringify([conn, burst, delay, key, type]));
}

/** Undefined: none of the variables has a value. */
function compileKey({ key, key_type: type }: LimitConn): (session: PluginSession) => string | undefined {
  const parts = type === 'var' ? [{ variable: key }] : splitTemplate(key);
  return (session) => {
    let hasValue = false;
    let text = '';
    for (const part of parts) {
      const value = typeof part === 'string' ? part : session.variable(part.variable);
      if (typeof part !== 'string' && value !== undefined && value !== '') hasValue = true;
      text += value ?? '';
    }
    return hasValue ? text : undefined;
  };
}
