/** One benchmark's answer: numbers by name, what they should be, and whether they are. */
export type Figures = {
  readonly name: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly aims: Readonly<Record<string, string>>;
  readonly met: boolean;
  /** Of other programs in the same run; a text says why there is none. */
  readonly peers?: Readonly<Record<string, number | string>>;
};

export type BenchOptions = { readonly peers: boolean };

/** The value below which this share of the numbers lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
