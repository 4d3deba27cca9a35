/** An id as it stands in a key; documents may have it as a number. */
export function idText(id: unknown): string {
  return typeof id === 'string' ? id : JSON.stringify(id);
}
