import { describe } from 'vitest';
import { describeClosing } from './store-closing.ts';
import { describeFaults } from './store-faults.ts';
import { describeReading } from './store-reading.ts';
import { describeReplacing } from './store-replacing.ts';
import type { OpenStore } from './store-subject.ts';
import { describeTimeToLive } from './store-time-to-live.ts';
import { describeWatching } from './store-watching.ts';
import { describeWriting } from './store-writing.ts';

/** Real servers take seconds to let a lease expire or to come back. Milliseconds. */
const timeout = 30_000;

/** Everything that `Store` promises, as tests. `open` gives each case an empty store of its own. */
export function testStore(name: string, open: OpenStore): void {
  describe(`${name} store`, { timeout }, () => {
    describeReading(open);
    describeWriting(open);
    describeReplacing(open);
    describeTimeToLive(open);
    describeWatching(open);
    describeFaults(open);
    describeClosing(open);
  });
}
