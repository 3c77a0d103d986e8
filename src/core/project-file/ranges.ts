import { compareQuantities, parseQuantity } from '../quantity.ts';

/** What is wrong with a range as such, and what to write; `null` where nothing is, whatever its ends are. */
export function rangeFault(text: string): { readonly why: string; readonly suggestion: string } | null {
  const ends = endsOf(text);
  if (ends === null) return null;
  const [start = '', ceiling = '', ...more] = ends;
  const isSpelt = !text.includes('...') && /\.\./u.test(text);
  if (more.length > 0)
    return { why: 'it has more than two ends', suggestion: between(start, more.at(-1) ?? '') };
  if (start === '') return { why: 'the start is missing', suggestion: between('1Gi', ceiling) };
  if (ceiling === '') return { why: 'the ceiling is missing', suggestion: between(start, '32Gi') };
  if (!isSpelt) return { why: 'two dots stand between its ends', suggestion: `${start}..${ceiling}` };
  return compareQuantities(start, ceiling) === 1
    ? { why: 'it starts above its ceiling', suggestion: `${ceiling}..${start}` }
    : null;
}

/** The sizes among the ends of what is or looks like a range, the larger first; `null` where it is no range. */
export function sizesOf(text: string): readonly string[] | null {
  const sizes = endsOf(text)?.filter((end) => (parseQuantity(end) ?? 0n) > 0n);
  if (sizes === undefined) return null;
  return [...new Set(sizes)].sort((one, other) => compareQuantities(other, one) ?? 0).slice(0, 2);
}

/** `8Gi..32Gi`, also with other dots, or with a hyphen between two sizes; a hyphen alone may be part of `1e-3`. */
function endsOf(text: string): readonly string[] | null {
  if (text.includes('..'))
    return text
      .slice(0, 200)
      .split(/\.{2,}/u)
      .map((end) => end.trim());
  if (text.length > 100 || parseQuantity(text.trim()) !== null) return null;
  const ends = text.split(/ to |[-–—]/u).map((end) => end.trim());
  return ends.length === 2 && ends.every((end) => parseQuantity(end) !== null) ? ends : null;
}

function between(start: string, ceiling: string): string {
  const order = compareQuantities(start, ceiling);
  if (order !== null) return order === 1 ? `${start}..${start}` : `${start}..${ceiling}`;
  return '8Gi..32Gi';
}
