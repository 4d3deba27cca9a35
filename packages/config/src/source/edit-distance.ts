/** How many letters have to be put in, taken out, replaced, or swapped with the next one. */
export function editDistance(a: string, b: string): number {
  const [letters, others] = [Array.from(a), Array.from(b)];
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: others.length + 1 }, (_, index) => index);
  for (const [index, letter] of letters.entries()) {
    const row = [index + 1];
    for (const [at, other] of others.entries()) {
      const replaced = (last[at] ?? 0) + (letter === other ? 0 : 1);
      const isSwapped = letter === others[at - 1] && letters[index - 1] === other;
      const swapped = isSwapped ? (beforeLast[at - 1] ?? 0) + 1 : Infinity;
      row.push(Math.min(replaced, swapped, (last[at + 1] ?? 0) + 1, (row[at] ?? 0) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return last[others.length] ?? 0;
}
