import type { ResourceFormat } from '@apisix-ts/config';
import { createManualClock, testStore } from '@apisix-ts/config/contract';
import type { OpenedStore } from '@apisix-ts/config/contract';
import { setImmediate as turn } from 'node:timers/promises';
import { openFileStore } from './file-store.ts';
import { makeResourceFolder } from './testing/resource-folder.ts';

const forever = new AbortController().signal;

testStore('file (yaml)', () => openEdited('yaml'));
testStore('file (json)', () => openEdited('json'));

/** What other stores learn from a request, this one sees at its polls: a write is there when a poll has seen it. */
async function openEdited(format: ResourceFormat): Promise<OpenedStore> {
  const content = new Map<string, string>();
  const folder = await makeResourceFolder(format, toText(content, format));
  const clock = createManualClock();
  const store = await openFileStore({ path: folder.path, format, env: {}, clock });
  const polled = store.watch(1, forever)[Symbol.asyncIterator]();
  let writing = Promise.resolve();

  async function write(key: string, value: string | undefined): Promise<void> {
    if (content.get(key) === value) return;
    if (value === undefined) content.delete(key);
    else content.set(key, value);
    await folder.write(toText(content, format));
    const seen = polled.next().then(() => 'seen');
    while ((await Promise.race([seen, turn('not yet')])) === 'not yet') clock.advance(500);
  }

  return {
    store,
    disturb: {
      writeFromElsewhere: (key, value) => (writing = writing.then(() => write(key, value))),
      advance: async (seconds) => clock.advance(seconds * 1000),
    },
    dispose: folder.remove,
  };
}

/** JSON is YAML too. */
function toText(content: ReadonlyMap<string, string>, format: ResourceFormat): string {
  const kinds = new Map([['routes', [] as string[]]]);
  for (const [key, item] of content) {
    const kind = key.slice(0, key.indexOf('/'));
    kinds.set(kind, [...(kinds.get(kind) ?? []), item]);
  }
  const lists = [...kinds].map(([kind, items]) => `"${kind}": [${items.join(', ')}]`);
  return `{${lists.join(', ')}}${format === 'yaml' ? '\n#END\n' : ''}`;
}
