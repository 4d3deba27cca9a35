import type { SessionTally } from './session-tallies.ts';
import type { ThreadActivity } from './thread-activity.ts';

/** What a worker tells of what it counts, apart from what is in shared memory. */
export interface WorkerCounts {
  /** Sessions that ended since it told last. Whoever gets them adds them up. */
  readonly tally: SessionTally;
  readonly activity: ThreadActivity;
}
