/** First and last byte, both included. */
export type ByteRange = { readonly from: number; readonly to: number };

/**
 * One range of `Range: bytes=…` within `size` bytes; `null` where the header is absent or asks for what need not
 * be served in parts (several ranges, other units). RFC 9110, section 14.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const count = Math.min(Number(last), size);
    return count === 0 ? 'unsatisfiable' : { from: size - count, to: size - 1 };
  }
  const from = Number(first);
  const to = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (from >= size || (last !== '' && Number(last) < from)) return 'unsatisfiable';
  return { from, to };
}
