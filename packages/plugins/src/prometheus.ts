import type { StreamPlugin } from '@apisix-ts/core';

export interface Prometheus {
  /** The label `route` of metrics is the name of the route, where it has one. */
  readonly prefer_name: boolean;
}

/** All routes are counted, with this plugin or without: it has nothing to do for a session. Whoever tells the metrics reads it. */
export const prometheus: StreamPlugin<Prometheus> = {
  name: 'prometheus',
  priority: 500,
  version: 0.2,
  schema: {
    type: 'object',
    properties: { prefer_name: { type: 'boolean', default: false } },
  },
  metadataSchema: {
    type: 'object',
    properties: {
      disabled_labels: {
        type: 'object',
        additionalProperties: { type: 'array', items: { type: 'string' } },
      },
    },
  },
  compile: () => ({}),
};
