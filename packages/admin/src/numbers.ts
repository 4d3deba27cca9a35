/** A number in a query argument, as the reference understands it; undefined for anything else. */
export function parseNumber(text: string | null): number | undefined {
  if (text === null || text.trim() === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
