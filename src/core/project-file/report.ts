import { problem, severityOf } from '../problems.ts';
import type { Place, Problem, ProblemCode, ProblemDetails } from '../problems.ts';

/**
 * Notes a problem at a place; the second one of the same code at the same place is dropped. Details that take
 * searching, such as what was probably meant, are given as a function.
 */
export type Report = <C extends ProblemCode>(code: C, at: Place, details: Details<C>) => void;
type Details<C extends ProblemCode> = ProblemDetails<C> | (() => ProblemDetails<C>);

/**
 * A problem without its words. These are made for the few that are shown: a hostile file has a hundred thousand
 * problems, and to search four hundred time zones for the one that was meant took 4 s for 4,000 of them.
 */
export type Noted = Pick<Problem, 'code' | 'severity' | 'line' | 'column'> & {
  readonly worded: () => Problem;
};

/** A `report` and the list that it fills. An alias shows one mistake as often as it is used, hence no doubles. */
export function collectProblems(): { readonly report: Report; readonly problems: Noted[] } {
  const problems: Noted[] = [];
  const seen = new Map<ProblemCode, Set<number>>();
  const report: Report = (code, at, details) => {
    const places = seen.get(code) ?? new Set();
    // One number for both; a file has fewer columns than that.
    const place = at.line * 2 ** 20 + at.column;
    if (places.has(place)) return;
    seen.set(code, places.add(place));
    problems.push(noted(code, at, details));
  };
  return { report, problems };
}

/** The problem `code` at a place, to be worded later. */
export function noted<C extends ProblemCode>(code: C, at: Place, details: Details<C>): Noted {
  return {
    code,
    severity: severityOf(code),
    line: at.line,
    column: at.column,
    worded: () => problem(code, at, isLater(details) ? details() : details),
  };
}

// Written out because TypeScript does not narrow a union that hangs on a type parameter.
function isLater<D extends object>(details: D | (() => D)): details is () => D {
  return typeof details === 'function';
}
