export const severities = ['error', 'warning', 'notice'] as const;
export type Severity = (typeof severities)[number];

/** Something in the user's file that is wrong, or that they should know. Line and column count from 1. */
export type Problem = {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
  readonly line: number;
  readonly column: number;
  /** Where in the file's structure, as in `tasks.train.resources.memory`; '' is the whole file. */
  readonly path: string;
};
