import { parseQuantity } from '../quantity.ts';

const spelled: Readonly<Record<string, readonly string[]>> = {
  b: [''],
  k: ['Ki', 'k'],
  kb: ['Ki', 'k'],
  ki: ['Ki'],
  kib: ['Ki'],
  m: ['Mi', 'M'],
  mb: ['Mi', 'M'],
  mi: ['Mi'],
  mib: ['Mi'],
  g: ['Gi', 'G'],
  gb: ['Gi', 'G'],
  gi: ['Gi'],
  gib: ['Gi'],
  gig: ['Gi', 'G'],
  t: ['Ti', 'T'],
  tb: ['Ti', 'T'],
  ti: ['Ti'],
  tib: ['Ti'],
  core: [''],
  cores: [''],
  cpu: [''],
  cpus: [''],
};

/** Why `text` is no usable quantity, whose value is `value` if it is one, and what was probably meant. */
export function suggestQuantities(
  text: string,
  value: bigint | null,
  example: string,
): { readonly why: string; readonly suggestions: readonly string[] } {
  if (value !== null) return { why: 'it must be more than nothing', suggestions: [example] };
  if (text === '') return { why: 'it is empty', suggestions: [example] };
  const match = /^\+?(\d+(?:[.,]\d+)?)\s*([a-z]*)$/iu.exec(text.slice(0, 64));
  if (match === null) return { why: 'it is no number with a unit', suggestions: [example] };
  const [, written = '', unit = ''] = match;
  const number = written.replace(',', '.');
  const units = Object.hasOwn(spelled, unit.toLowerCase()) ? spelled[unit.toLowerCase()] : undefined;
  if (written !== number) return { why: 'it has a comma', suggestions: [number + unit] };
  if (units === undefined) return { why: `there is no unit ${unit}`, suggestions: [example] };
  const suggestions = units
    .map((known) => `${number}${known}`)
    .filter((candidate) => parseQuantity(candidate) !== null);
  if (suggestions.length === 0) return { why: 'it is too large', suggestions: [example] };
  if (suggestions.includes(number + unit))
    return { why: 'a space stands before the unit', suggestions: [number + unit] };
  return { why: `there is no unit ${unit}`, suggestions };
}
