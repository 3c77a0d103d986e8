import { contentProblems } from './problems/content.ts';
import { keyProblems } from './problems/keys.ts';
import { syntaxProblems } from './problems/syntax.ts';
import { taskProblems } from './problems/tasks.ts';
import { textProblems } from './problems/text.ts';
import { valueProblems } from './problems/values.ts';
import type { Definition } from './problems/definition.ts';

export const severities = ['error', 'warning', 'notice'] as const;
export type Severity = (typeof severities)[number];

const definitions = {
  ...textProblems,
  ...syntaxProblems,
  ...keyProblems,
  ...valueProblems,
  ...taskProblems,
  ...contentProblems,
};

/** Stable: programs compare codes, so a code is never renamed. */
export type ProblemCode = keyof typeof definitions;

type AllDetails = { [C in ProblemCode]: Parameters<(typeof definitions)[C]['message']>[0] };

/** What one occurrence of a problem must say about itself. */
export type ProblemDetails<C extends ProblemCode> = AllDetails[C];

// Written as a mapped type so that a code and its details stay together where the code is a parameter.
const byCode: { readonly [C in ProblemCode]: Definition<AllDetails[C]> } = definitions;

/** Something in the user's file that is wrong, or that they should know. Line and column count from 1. */
export type Problem = {
  readonly code: ProblemCode;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy: string;
  readonly line: number;
  readonly column: number;
  /** Where in the file's structure, as in `tasks.train.resources.memory`; '' is the whole file. */
  readonly path: string;
};

/** A place in the text and in the structure of a file. */
export type Place = { readonly line: number; readonly column: number; readonly path: string };

/** Makes the problem `code` at a place, worded by the catalogue. */
export function problem<C extends ProblemCode>(code: C, place: Place, details: ProblemDetails<C>): Problem {
  const definition = byCode[code];
  return {
    code,
    severity: definition.severity,
    message: definition.message(details),
    remedy: definition.remedy(details),
    line: place.line,
    column: place.column,
    path: place.path,
  };
}

/** How much a problem of this code weighs. */
export function severityOf(code: ProblemCode): Severity {
  return byCode[code].severity;
}

/** Whether a problem of this code says that something is missing, which broken text may hide. */
export function isAbsence(code: ProblemCode): boolean {
  return byCode[code].absence ?? false;
}

/** Every code there is, in the order of the docs. `example` is a file, or part of one, that has the problem. */
export const problemCatalogue: readonly {
  readonly code: ProblemCode;
  readonly severity: Severity;
  readonly explanation: string;
  readonly example: string;
}[] = (Object.keys(definitions) as ProblemCode[]).map((code) => {
  const { severity, explanation, example } = byCode[code];
  return { code, severity, explanation, example };
});
