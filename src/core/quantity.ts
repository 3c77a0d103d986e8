const units = {
  n: [1n, 0],
  u: [1_000n, 0],
  m: [1_000_000n, 0],
  '': [1_000_000_000n, 0],
  k: [1_000_000_000n, 3],
  M: [1_000_000_000n, 6],
  G: [1_000_000_000n, 9],
  T: [1_000_000_000n, 12],
  P: [1_000_000_000n, 15],
  E: [1_000_000_000n, 18],
  Ki: [1_000_000_000n << 10n, 0],
  Mi: [1_000_000_000n << 20n, 0],
  Gi: [1_000_000_000n << 30n, 0],
  Ti: [1_000_000_000n << 40n, 0],
  Pi: [1_000_000_000n << 50n, 0],
  Ei: [1_000_000_000n << 60n, 0],
} as const satisfies Record<string, readonly [bigint, number]>;

const nanoPerUnit = 1_000_000_000n;
// What Kubernetes holds: a signed 64-bit number of whole units.
const most = ((1n << 63n) - 1n) * nanoPerUnit;

/**
 * Reads a Kubernetes quantity (`500m`, `2`, `0.5`, `8Gi`, `1e3`) and answers with its value in billionths,
 * rounded up as Kubernetes does; `null` where it is none. Exact: sizes beyond 2^53 bytes differ by one byte.
 */
export function parseQuantity(text: string): bigint | null {
  // 40 characters hold every quantity that fits in 64 bits; longer ones would only cost time.
  if (text.length > 40) return null;
  const match = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE])([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)$/u.exec(text);
  if (match === null) return null;
  const [, sign = '', digits = '', exponent, power = '0', suffix = ''] = match;
  const [whole = '', fraction = ''] = digits.split('.');
  const [unit, zeros] =
    exponent === undefined ? (unitOf(suffix) ?? units['']) : ([nanoPerUnit, Number(power)] as const);
  const value = scaled(BigInt(whole + fraction) * unit, zeros - fraction.length);
  if (value > most) return null;
  return sign === '-' ? -value : value;
}

/** Orders two quantities as `Array.sort` wants it; `null` where one of them is none. */
export function compareQuantities(left: string, right: string): -1 | 0 | 1 | null {
  const a = parseQuantity(left);
  const b = parseQuantity(right);
  if (a === null || b === null) return null;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A quantity in whole units (bytes, for memory), rounded up; `null` where it is none. */
export function wholeUnits(text: string): bigint | null {
  const value = parseQuantity(text);
  return value === null ? null : divideUp(value, nanoPerUnit);
}

/** A size in bytes as a file says it, exact and as short as that can be: `4Gi`, `1536Mi`, `2G`. */
export function showSize(bytes: number): string {
  const spellings = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'k', 'M', 'G', 'T', 'P'].flatMap((unit) => {
    const size = (Number(unitOf(unit)?.[0] ?? nanoPerUnit) / 1e9) * 10 ** (unitOf(unit)?.[1] ?? 0);
    return bytes % size === 0 ? [`${bytes / size}${unit}`] : [];
  });
  return spellings.reduce((short, other) => (other.length < short.length ? other : short), String(bytes));
}

/** Start and ceiling of `8Gi..32Gi`; a single quantity has no ceiling. Neither is checked. */
export function splitRange(text: string): { readonly start: string; readonly ceiling: string | null } {
  const at = text.indexOf('..');
  if (at === -1) return { start: text.trim(), ceiling: null };
  return { start: text.slice(0, at).trim(), ceiling: text.slice(at + 2).trim() };
}

function unitOf(suffix: string): readonly [bigint, number] | undefined {
  return Object.entries(units).find(([name]) => name === suffix)?.[1];
}

function scaled(value: bigint, zeros: number): bigint {
  return zeros >= 0 ? value * 10n ** BigInt(zeros) : divideUp(value, 10n ** BigInt(-zeros));
}

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value > 0n && value % by !== 0n ? quotient + 1n : quotient;
}
