import { editDistance } from '@apisix-ts/config';

/** Letters that may differ in a word of up to four, and in a longer one. */
const FEW = 1;
const SOME = 2;

/** What was probably meant; reads on after a sentence without a stop. Empty when nothing is like it. */
export function didYouMean(word: string, known: readonly string[]): string {
  const beginning = known.filter((name) => name.startsWith(word));
  const [only] = beginning.length === 1 ? beginning : [];
  const meant = only ?? nearest(word, known);
  return meant === undefined ? '' : ` (did you mean ${meant}?)`;
}

function nearest(word: string, known: readonly string[]): string | undefined {
  const most = word.replace(/^-+/, '').length <= 4 ? FEW : SOME;
  let found: string | undefined;
  let least = most + 1;
  for (const name of known) {
    const distance = editDistance(word, name);
    if (distance >= least) continue;
    least = distance;
    found = name;
  }
  return found;
}
