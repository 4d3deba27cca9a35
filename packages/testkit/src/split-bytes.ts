/** The bytes in pieces of these sizes, taken round and round. */
export function* splitBytes(bytes: Uint8Array, ...sizes: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (let turn = 0; from < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

/** Every way of cutting the bytes in two, the empty head and the empty tail included. */
export function* splitAtEach(bytes: Uint8Array): Generator<readonly [head: Uint8Array, tail: Uint8Array]> {
  for (let at = 0; at <= bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

/** Bytes that look random and are the same for the same seed (xorshift32). */
export function someBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2_654_435_761 || 1;
  for (let index = 0; index < length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}
