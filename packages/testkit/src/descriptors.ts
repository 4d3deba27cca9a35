import { readdirSync } from 'node:fs';

/** Descriptors of this process that are open now, by the kernel's own list. Linux. */
export function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
