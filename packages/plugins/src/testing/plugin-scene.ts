import { compileSchema, withMeta } from '@apisix-ts/config';
import { TimerWheel } from '@apisix-ts/core';
import type {
  PluginHandlers,
  PluginHost,
  PluginSession,
  PluginStep,
  SessionCounts,
  StreamPlugin,
} from '@apisix-ts/core';
import { FakeClock } from '@apisix-ts/testkit';

/** What is wrong with a configuration; undefined for nothing. */
export function faultOf(plugin: StreamPlugin, configuration: object): string | undefined {
  const checked = compileSchema(withMeta(plugin.schema))(configuration);
  return checked.ok ? plugin.check?.(checked.value) : checked.message;
}

/** A plugin at work with a configuration, its defaults filled in. */
export function compilePlugin(
  plugin: StreamPlugin,
  configuration: object,
  host: Partial<PluginHost> = {},
): PluginHandlers {
  const checked = compileSchema(withMeta(plugin.schema))(configuration);
  if (!checked.ok) throw new TypeError(checked.message);
  return plugin.compile(checked.value, { ...bareHost(), ...host });
}

/** What a plugin says to a session before its upstream is chosen. */
export function preread(handlers: PluginHandlers, session: Partial<PluginSession>): PluginStep {
  return handlers.preread?.(testSession(session));
}

/**
 * What a plugin that reads says to what the client sends: these pieces, and if they are not enough, nothing more for this
 * reason.
 */
export function hear(
  step: PluginStep,
  pieces: Iterable<Uint8Array>,
  silence: 'ended' | 'timeout' | 'limit' = 'ended',
): PluginStep {
  if (step === undefined || !('peek' in step)) throw new TypeError('the plugin does not read');
  for (const piece of pieces) {
    const answer = step.peek.parser.push(piece);
    if (answer.kind !== 'need-more') return step.peek.onOutcome(answer);
  }
  return step.peek.onOutcome({ kind: silence });
}

/** A session with these facts, from 192.0.2.1 on route 1, whose variables are the ones that were set. */
export function testSession(facts: Partial<PluginSession> = {}): PluginSession {
  const variables = new Map<string, string>();
  return {
    transport: 'tcp',
    remoteAddress: '192.0.2.1',
    routeId: '1',
    serviceId: undefined,
    variable: (name) => variables.get(name),
    setVariable: (name, value) => void variables.set(name, value),
    useUpstream: () => false,
    onEnd() {},
    ...facts,
  };
}

function bareHost(): PluginHost {
  return {
    owner: 'stream_routes/1',
    metadata: undefined,
    counts: countsOfOne(),
    wheel: new TimerWheel(new FakeClock()),
    caFile: undefined,
    upstreamKey: (upstream) =>
      'id' in upstream ? `upstreams/${upstream.id}` : `stream_routes/1/${upstream.place}`,
    log(level, message) {
      throw new Error(`not expected: ${level} ${message}`);
    },
  };
}

/** Those of a gateway with one worker. */
export function countsOfOne(): SessionCounts {
  const counts = new Map<string, number>();
  return {
    enter(key, most) {
      const count = (counts.get(key) ?? 0) + 1;
      if (count > most) return 0;
      counts.set(key, count);
      return count;
    },
    leave: (key) => void counts.set(key, (counts.get(key) ?? 0) - 1),
  };
}
