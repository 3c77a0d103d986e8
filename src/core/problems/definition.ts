import type { Severity } from '../problems.ts';

/** One entry of the catalogue; `D` is what a single occurrence must say about itself. */
export type Definition<D> = {
  readonly severity: Severity;
  /** One sentence for the docs: why this is a problem. */
  readonly explanation: string;
  /** A small file (or a piece of one) that has it. */
  readonly example: string;
  readonly message: (details: D) => string;
  readonly remedy: (details: D) => string;
  /**
   * Something is missing rather than wrong. Such a problem says nothing while the text is broken,
   * because what is missing may stand in the part that could not be read.
   */
  readonly absence?: boolean;
};

/** Gives `D` to both builders at once; without it TypeScript cannot infer one from the other. */
export function define<D>(definition: Definition<D>): Definition<D> {
  return definition;
}
