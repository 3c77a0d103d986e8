import * as fc from 'fast-check';

/** The bytes as a network may deliver them. */
export async function* pieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  let from = 0;
  for (const place of [...places, bytes.length]) {
    yield bytes.subarray(from, place);
    from = place;
  }
}

/** Places where to cut them. */
export const cuts = fc.array(fc.nat(), { maxLength: 20 });
