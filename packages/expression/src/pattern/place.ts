/** What is before a place in a text: its start, a unit of a word (`\w`), or another one. */
export type Before = 'start' | 'word' | 'other';

/** Whether an assertion holds at a place. @param unit the one after it; undefined at the end of the text. */
export type PlaceTest = (before: Before, unit: number | undefined) => boolean;

export const isStart: PlaceTest = (before) => before === 'start';
export const isEnd: PlaceTest = (_, unit) => unit === undefined;
export const isWordEdge: PlaceTest = (before, unit) =>
  (before === 'word') !== (unit !== undefined && isWordUnit(unit));

const word = /\w/;

export function isWordUnit(unit: number): boolean {
  return word.test(String.fromCharCode(unit));
}
