import { isAbsence } from '../problems.ts';
import { examine } from './examine.ts';
import type { Examination } from './examine.ts';
import { neighbour, withIndentation } from './indentation.ts';
import { noted } from './report.ts';
import type { Noted } from './report.ts';
import type { BadLine } from './syntax-faults.ts';

const mostMoves = 8;
// Each try reads the whole file: enough tries for eight lines of a file that people write, few for a large one.
const mostTries = 100;
const mostCharacters = 256 * 1024;

/** Line `line` stands at column `from` and was read at column `to`, both from 0. */
type Move = { readonly line: number; readonly from: number; readonly to: number };

type Outcome =
  | {
      readonly kind: 'settled';
      readonly text: string;
      readonly moves: readonly Move[];
      readonly examination: Examination;
    }
  | {
      readonly kind: 'tie';
      readonly bad: BadLine;
      readonly columns: readonly number[];
      readonly moves: readonly Move[];
    }
  | { readonly kind: 'stuck' };

type Budget = { tries: number; characters: number };

/**
 * Moves lines that fit no block to the nearest indentation that makes the file valid, with a warning at each.
 * Where that cannot be, or could be in two ways, the answer has an error at the line instead.
 */
export function repairIndentation(text: string, first: Examination): Examination {
  if (first.badLines.length === 0) return first;
  const budget = { tries: mostTries, characters: mostCharacters };
  const outcome: Outcome = first.isHopeless ? { kind: 'stuck' } : search(text, first, [], budget);
  if (outcome.kind === 'settled') {
    const warnings = outcome.moves.map((move) => moved(text, move));
    return { ...outcome.examination, problems: [...warnings, ...outcome.examination.problems] };
  }
  if (outcome.kind === 'tie') {
    const { bad, columns, moves } = outcome;
    const tie = noted(
      'ambiguous-indentation',
      { line: bad.line, column: bad.column + 1, path: '' },
      { column: bad.column + 1, columns: columns.map((column) => column + 1) },
    );
    return {
      ...first,
      project: null,
      problems: [...moves.map((move) => moved(text, move)), tie, ...first.problems],
      badLines: [],
    };
  }
  return {
    ...first,
    project: null,
    problems: [...first.badLines.map(misplaced), ...first.problems],
    badLines: [],
  };
}

function search(text: string, examination: Examination, moves: readonly Move[], budget: Budget): Outcome {
  const [bad] = examination.badLines;
  if (bad === undefined) return { kind: 'settled', text, moves, examination };
  if (moves.length >= mostMoves) return { kind: 'stuck' };
  const options = bad.columns.flatMap((to) => {
    const option = attempt(text, bad, to, moves, budget);
    return option === null ? [] : [option];
  });
  const fewest = Math.min(...options.map(({ errors }) => errors));
  const best = options.filter(({ errors }) => errors === fewest);
  let fallback: Outcome = { kind: 'stuck' };
  for (const distance of new Set(best.map((option) => option.distance))) {
    const near = best.filter((option) => option.distance === distance);
    const outcomes = near.map((option) => search(option.text, option.examination, option.moves, budget));
    const good = near.filter((_, index) => isGood(outcomes[index]));
    if (good.length > 1) return { kind: 'tie', bad, columns: good.map(({ to }) => to), moves };
    const only = outcomes.find(isGood);
    if (only !== undefined) return only;
    if (fallback.kind === 'stuck') fallback = outcomes.find(isHarmless) ?? fallback;
    // With an error elsewhere no way makes the file valid; the nearest one reads the rest of it well enough.
    if (fewest > 0 && fallback.kind === 'settled') break;
  }
  return fallback;
}

function isGood(outcome: Outcome | undefined): outcome is Exclude<Outcome, { kind: 'stuck' }> {
  if (outcome === undefined || outcome.kind === 'stuck') return false;
  return outcome.kind === 'tie' || !outcome.examination.problems.some(({ severity }) => severity === 'error');
}

/** Whether no error stands at the beginning of a line that was moved: such an error was made by moving it. */
function isHarmless(outcome: Outcome): boolean {
  if (outcome.kind !== 'settled') return false;
  const { examination, moves } = outcome;
  return !examination.problems.some(
    ({ severity, line, column }) =>
      severity === 'error' && moves.some((move) => move.line === line && move.from + 1 === column),
  );
}

type Option = {
  readonly to: number;
  readonly distance: number;
  readonly errors: number;
  readonly text: string;
  readonly moves: readonly Move[];
  readonly examination: Examination;
};

/** Reads the text with the line moved; `null` where it does not fit there either, or too much was tried. */
function attempt(
  text: string,
  bad: BadLine,
  to: number,
  moves: readonly Move[],
  budget: Budget,
): Option | null {
  if (budget.tries <= 0 || budget.characters < text.length) return null;
  budget.tries -= 1;
  const changed = withIndentation(text, bad.line, to);
  const all = [...moves, { line: bad.line, from: bad.column, to }];
  const examination = examine(changed, new Map(all.map((move) => [move.line, move.to - move.from])));
  budget.characters -= examination.cost;
  const next = examination.badLines[0]?.line ?? Number.POSITIVE_INFINITY;
  if (next <= bad.line) return null;
  const errors = examination.problems.filter(
    ({ severity, line, code }) =>
      severity === 'error' && line < next && (next === Number.POSITIVE_INFINITY || !isAbsence(code)),
  ).length;
  return { to, distance: Math.abs(to - bad.column), errors, text: changed, moves: all, examination };
}

function moved(text: string, { line, from, to }: Move): Noted {
  const beside = neighbour(text, line, to);
  const details = {
    column: from + 1,
    to: to + 1,
    beside: beside?.name ?? null,
    besideLine: beside?.line ?? null,
  };
  return noted('moved-line', { line, column: from + 1, path: '' }, details);
}

function misplaced(bad: BadLine): Noted {
  const columns = bad.columns.slice(0, 2).map((column) => column + 1);
  return noted(
    'bad-indentation',
    { line: bad.line, column: bad.column + 1, path: '' },
    { column: bad.column + 1, columns, continues: bad.continues },
  );
}
