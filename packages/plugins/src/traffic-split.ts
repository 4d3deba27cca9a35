import { compileExpression, expressionFault } from '@apisix-ts/core';
import type { Condition, JsonObject, PluginHost, PluginUpstream, StreamPlugin } from '@apisix-ts/core';
import { WeightedTurns } from './weighted-turns.ts';

export interface TrafficSplit {
  /** The first one whose match holds decides. Default: the route's own upstream does. */
  readonly rules?: readonly SplitRule[];
}

interface SplitRule {
  /** One of them has to hold. Default: the rule always does. */
  readonly match?: readonly { readonly vars?: readonly unknown[] }[];
  readonly weighted_upstreams: readonly WeightedUpstream[];
}

/** With neither id nor upstream: the route's own. */
interface WeightedUpstream {
  readonly upstream_id?: string | number;
  readonly upstream?: JsonObject;
  readonly weight: number;
}

/** Sends parts of the sessions to other upstreams, by what is known of them and by weights. */
export const trafficSplit: StreamPlugin<TrafficSplit> = {
  name: 'traffic-split',
  priority: 966,
  version: 0.1,
  schema: {
    type: 'object',
    properties: {
      rules: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            match: {
              type: 'array',
              items: { type: 'object', properties: { vars: { type: 'array' } } },
            },
            weighted_upstreams: {
              type: 'array',
              items: {
                type: 'object',
                properties: {
                  upstream_id: { $ref: 'id' },
                  upstream: { $ref: 'upstream' },
                  weight: { type: 'integer', minimum: 0, default: 1 },
                },
              },
              minItems: 1,
              maxItems: 20,
              default: [{ weight: 1 }],
            },
          },
        },
      },
    },
  },
  check({ rules = [] }) {
    for (const { vars } of rules.flatMap(({ match = [] }) => match)) {
      const fault = vars === undefined ? 'missing argument rule' : expressionFault(vars);
      if (fault !== undefined) return `failed to validate the 'vars' expression: ${fault}`;
    }
    return undefined;
  },
  upstreams({ rules = [] }) {
    return rules.flatMap((rule, index) => targetsOf(rule, index)).filter((target) => target !== undefined);
  },
  compile({ rules = [] }, host) {
    const splits = rules.map((rule, index) => compileRule(rule, index, host));
    return {
      preread(session) {
        const read = (name: string): string | number | undefined => session.variable(name);
        const target = splits.find(({ holds }) => holds(read))?.turns.next();
        if (target === undefined || target === 'own' || session.useUpstream(target.key)) return undefined;
        return { refuse: 500, reason: target.missing };
      },
    };
  },
};

interface Split {
  readonly holds: Condition;
  readonly turns: WeightedTurns<SplitTarget | 'own'>;
}

interface SplitTarget {
  /** Of an upstream, as workers know it. */
  readonly key: string;
  /** For the log: that it does not exist. */
  readonly missing: string;
}

function compileRule(rule: SplitRule, index: number, host: PluginHost): Split {
  const conditions = rule.match?.map(({ vars = [] }) => compileExpression(vars)) ?? [];
  const targets = targetsOf(rule, index);
  const turns = rule.weighted_upstreams.map(({ weight }, place) => {
    const target = targets[place];
    return [target === undefined ? ('own' as const) : compileTarget(target, host), weight] as const;
  });
  return {
    holds: (read) => conditions.length === 0 || conditions.some((holds) => holds(read)),
    turns: new WeightedTurns(turns),
  };
}

function compileTarget(target: PluginUpstream, host: PluginHost): SplitTarget {
  const what = 'id' in target ? `by upstream id: ${target.id}` : `of ${target.place}`;
  return { key: host.upstreamKey(target), missing: `failed to fetch upstream info ${what}` };
}

/** In the order of the rule; undefined where it is the route's own. An id goes before an upstream beside it. */
function targetsOf({ weighted_upstreams: entries }: SplitRule, rule: number): (PluginUpstream | undefined)[] {
  return entries.map(({ upstream_id: id, upstream }, index) => {
    if (id !== undefined) return { id: String(id) };
    return upstream && { place: `rules/${rule}/weighted_upstreams/${index}`, upstream };
  });
}
