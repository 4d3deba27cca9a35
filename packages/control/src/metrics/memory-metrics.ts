import type { SharedMemoryFacts } from '../gateway-facts.ts';
import type { Metric } from './metric.ts';

/** The memory that all threads share, with the reference's names. */
export function memoryMetrics(areas: readonly SharedMemoryFacts[]): readonly Metric[] {
  return [
    {
      name: 'shared_dict_capacity_bytes',
      type: 'gauge',
      help: 'Memory that is laid out for what all threads share',
      samples: areas.map(({ name, capacityBytes }) => ({ labels: { name }, value: capacityBytes })),
    },
    {
      name: 'shared_dict_free_space_bytes',
      type: 'gauge',
      help: 'What of it is not in use',
      samples: areas.map(({ name, freeBytes }) => ({ labels: { name }, value: freeBytes })),
    },
  ];
}
