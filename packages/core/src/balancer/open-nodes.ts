import type { UpstreamNode } from '../upstream/upstream-node.ts';

/** Whether a session that has tried some nodes may be given this one. */
export type IsOpen = (node: UpstreamNode, tried: ReadonlySet<UpstreamNode>) => boolean;

/** The rule to choose by at this moment: healthy nodes only, or, where none of them is, any. */
export function openAmong(nodes: readonly UpstreamNode[]): IsOpen {
  return hasHealthy(nodes) ? isHealthyAndUntried : isUntried;
}

export function hasHealthy(nodes: readonly UpstreamNode[]): boolean {
  for (const node of nodes) if (node.load.isHealthy) return true;
  return false;
}

function isHealthyAndUntried(node: UpstreamNode, tried: ReadonlySet<UpstreamNode>): boolean {
  return node.load.isHealthy && !tried.has(node);
}

function isUntried(node: UpstreamNode, tried: ReadonlySet<UpstreamNode>): boolean {
  return !tried.has(node);
}
