import type { HealthReport } from '@apisix-ts/core';
import { ownShortage } from '@apisix-ts/transport';

/**
 * Takes what came of a probe; undefined: it says nothing about the node.
 * @param shortage what this machine has run out of, by the system's name for it, where that is why.
 */
export type OnReport = (report: HealthReport | undefined, shortage?: string) => void;

/** Reports an error of a socket: the node's failure, unless it is ours. @param errno the system's name for it. */
export function reportErrno(errno: string | undefined, onReport: OnReport): void {
  if (ownShortage(errno) === undefined) onReport('tcp_failure');
  else onReport(undefined, errno);
}
