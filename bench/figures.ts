/** One benchmark's answer: numbers by name, what they should be, and whether they are. */
export type Figures = {
  readonly name: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly aims: Readonly<Record<string, string>>;
  readonly met: boolean;
  /** Of other programs, named as the figure that they stand beside; run.ts prints `{}` where none was measured. */
  readonly peers?: Peers;
};

export type Peers = Readonly<Record<string, PeerFigure | Quoted>>;

/** Measured in the same run, on the same machine. */
export type PeerFigure = { readonly figure: number; readonly version: string };

/** What others say of a program that could not be measured here, and why it could not. */
export type Quoted = { readonly quoted: string; readonly source: string; readonly why: string };

export type BenchOptions = {
  /** Other programs are measured as well. */
  readonly peers: boolean;
  /** A tenth of the work or less: shows that the script runs to its end, and its figures say nothing else. */
  readonly short: boolean;
};

/** The value below which this share of the numbers lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
