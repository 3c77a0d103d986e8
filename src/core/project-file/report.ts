import { problem } from '../problems.ts';
import type { Place, Problem, ProblemCode, ProblemDetails } from '../problems.ts';

/** Notes a problem at a place; the second one of the same code at the same place is dropped. */
export type Report = <C extends ProblemCode>(code: C, at: Place, details: ProblemDetails<C>) => void;

/** A `report` and the list that it fills. An alias shows one mistake as often as it is used, hence no doubles. */
export function collectProblems(): { readonly report: Report; readonly problems: Problem[] } {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const report: Report = (code, at, details) => {
    const key = `${code} ${at.line} ${at.column}`;
    if (seen.has(key)) return;
    seen.add(key);
    problems.push(problem(code, at, details));
  };
  return { report, problems };
}
