import { editDistance } from '../source/edit-distance.ts';

export interface Misspelled {
  readonly key: string;
  /** What is probably meant. */
  readonly why: string;
}

/** Finds the keys that are none of the known ones and read like one. */
export function findMisspelled(keys: readonly string[], known: readonly string[]): readonly Misspelled[] {
  const found: Misspelled[] = [];
  for (const key of keys) {
    if (known.includes(key)) continue;
    if (key === 'credentials') {
      found.push({ key, why: 'credentials stand below consumers, with an id such as jack/credentials/1' });
      continue;
    }
    const meant = known.find((name) => editDistance(bare(key), bare(name)) <= 2);
    if (meant !== undefined) found.push({ key, why: `did you mean ${meant}?` });
  }
  return found;
}

/** `Stream-Routes` is written like `stream_routes`. */
function bare(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z]/g, '');
}
