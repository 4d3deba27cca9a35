import { readFile, readdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { single } from './metric.ts';
import type { Metric } from './metric.ts';

/** The process that the gateway is. @param version of the gateway. */
export async function processMetrics(version: string): Promise<readonly Metric[]> {
  const { user, system } = process.cpuUsage();
  const descriptors = await countDescriptors();
  const limit = await readDescriptorLimit();
  return [
    {
      name: 'node_info',
      type: 'gauge',
      help: 'The gateway: always 1',
      samples: [{ labels: { hostname: hostname(), version }, value: 1 }],
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time of all threads',
      samples: [
        { labels: { mode: 'user' }, value: user / 1e6 },
        { labels: { mode: 'system' }, value: system / 1e6 },
      ],
    },
    single(
      'process_resident_memory_bytes',
      'gauge',
      'Memory of the process that is not swapped out',
      process.memoryUsage.rss(),
    ),
    single(
      'process_start_time_seconds',
      'gauge',
      'When the process began, in seconds since 1970',
      performance.timeOrigin / 1000,
    ),
    ...(descriptors === undefined
      ? []
      : [single('process_open_fds', 'gauge', 'Open file descriptors, sockets included', descriptors)]),
    ...(limit === undefined
      ? []
      : [single('process_max_fds', 'gauge', 'File descriptors that the process may have', limit)]),
  ];
}

/** Since Linux 6.2 the size of the folder tells; listing it takes milliseconds where there are thousands. */
async function countDescriptors(): Promise<number | undefined> {
  try {
    const { size } = await stat('/proc/self/fd');
    return size > 0 ? size : (await readdir('/proc/self/fd')).length;
  } catch {
    // Another system than Linux.
    return undefined;
  }
}

async function readDescriptorLimit(): Promise<number | undefined> {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(await readFile('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined || soft === 'unlimited' ? undefined : Number(soft);
  } catch {
    // Another system than Linux.
    return undefined;
  }
}
