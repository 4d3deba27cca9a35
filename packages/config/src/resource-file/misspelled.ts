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
    const meant = known.find((name) => distance(bare(key), bare(name)) <= 2);
    if (meant !== undefined) found.push({ key, why: `did you mean ${meant}?` });
  }
  return found;
}

/** `Stream-Routes` is written like `stream_routes`. */
function bare(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z]/g, '');
}

/** How many letters have to be put in, taken out or replaced (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, letter] of Array.from(a).entries()) {
    const next = [index + 1];
    for (const [at, other] of Array.from(b).entries()) {
      const replaced = (row[at] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
