const seconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const longest = 365 * seconds.d;

/** Why a text is no duration, and what was probably meant. */
export type DurationFault = { readonly why: string; readonly suggestion: string };

/**
 * Reads `30s`, `10m`, `6h`, `2d` and sums of them (`1h30m`, `1d 12h`) as seconds, at most 365 days.
 * A fault says what is wrong in words for the user.
 */
export function readDuration(text: string): number | DurationFault {
  const trimmed = text.trim();
  if (trimmed === '') return { why: 'it is empty', suggestion: '30m' };
  if (trimmed.length > 64) return { why: 'it is too long', suggestion: '1h30m' };
  if (/^\d+$/u.test(trimmed)) return { why: 'the unit is missing', suggestion: withUnit(Number(trimmed)) };
  const parts = [...trimmed.matchAll(/(\d+)([smhd])\s*/gu)];
  if (parts.map(([part]) => part).join('') !== trimmed) return misspelt(trimmed);
  const units = parts.map(([, , unit]) => unit);
  if (new Set(units).size < units.length) return { why: 'a unit stands in it twice', suggestion: '1h30m' };
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * secondsOf(unit), 0);
  return total > longest ? { why: 'it is longer than 365 days', suggestion: '365d' } : total;
}

/** Like `readDuration`, with `null` for every fault. */
export function parseDuration(text: string): number | null {
  const read = readDuration(text);
  return typeof read === 'number' ? read : null;
}

/** Seconds as the shortest sum of whole units, `5400` as `1h30m`. */
export function formatDuration(total: number): string {
  let rest = Math.max(0, Math.round(total));
  let text = '';
  for (const [unit, size] of Object.entries(seconds).toReversed()) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}

function secondsOf(unit: string | undefined): number {
  return unit === 's' || unit === 'm' || unit === 'h' || unit === 'd' ? seconds[unit] : 0;
}

function withUnit(count: number): string {
  return count > longest ? '1h' : formatDuration(count);
}

// The units that people write most, with what AME calls them.
const spelled: readonly (readonly [RegExp, 's' | 'm' | 'h' | 'd', number])[] = [
  [/^(ms|millis|milliseconds?)$/iu, 's', 0.001],
  [/^(s|secs?|seconds?)$/iu, 's', 1],
  [/^(m|mins?|minutes?)$/iu, 'm', 60],
  [/^(h|hrs?|hours?)$/iu, 'h', 3600],
  [/^(d|days?)$/iu, 'd', 86_400],
  [/^(w|weeks?)$/iu, 'd', 7 * 86_400],
];

function misspelt(text: string): DurationFault {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/iu.exec(text);
  const [, count = '', word = ''] = match ?? [];
  const known = spelled.find(([pattern]) => pattern.test(word));
  if (match === null || known === undefined) {
    return { why: 'it is not made of numbers with the units s, m, h, d', suggestion: '1h30m' };
  }
  const suggestion = formatDuration(Math.min(longest, Math.max(1, Math.round(Number(count) * known[2]))));
  const why = count.includes('.') ? 'its number is not whole' : `${word} is none of the units s, m, h, d`;
  return {
    why: /^[smhd]$/u.test(word) && !count.includes('.') ? 'a space stands before the unit' : why,
    suggestion,
  };
}
