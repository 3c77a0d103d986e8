import type { ProblemCode } from '../problems.ts';
import type { Position } from '../project.ts';
import { parse } from './examine.ts';
import type { Examination } from './examine.ts';
import { findGaps } from './gaps.ts';
import { holeAround, linesFrom, openMapAt } from './holes.ts';
import { closeMap, isSilent, leaveOut, lostNames, wholeText } from './leave-out.ts';
import type { Remainder } from './leave-out.ts';
import { locator } from './lines.ts';
import type { Locate, Shifts } from './lines.ts';
import { readProject } from './read-project.ts';
import { collectProblems } from './report.ts';
import type { Noted } from './report.ts';
import { findSyntaxFaults } from './syntax-faults.ts';
import type { SyntaxFaults } from './syntax-faults.ts';
import { withoutTabbedLines, withSpaces } from './tabs.ts';
import type { WithoutTabs } from './tabs.ts';
import { buildTree } from './tree.ts';

const mostRounds = 8;
// A person makes few such mistakes; a file with more of them is mostly something else than YAML.
const mostHoles = 40;
// Each round reads the whole text, and each error costs the parser a stack trace.
const mostCharacters = 512 * 1024;
const mostErrors = 300;

/** What the rest of a text says once its broken parts are left out, and the lines that fit nowhere even then. */
type SecondLook = {
  readonly problems: readonly Noted[];
  readonly badLines: ReadonlySet<number>;
  /** Whether a place is in a part that was left out. */
  readonly isHidden: (at: Position) => boolean;
};

/**
 * The problems of a text, with those that stand elsewhere than what breaks it. `first` is the text as it stands,
 * `repaired` the same with lines moved.
 */
export function withFurtherProblems(
  text: string,
  first: Examination,
  repaired: Examination,
): readonly Noted[] {
  const { problems } = repaired;
  const isUnsettled = problems.some(({ code }) => unsettled.has(code));
  const isBroken = first.faults.some(({ isStructural }) => isStructural);
  if (
    first.isHopeless ||
    !(isUnsettled || isBroken || repaired.faults.some(({ isStructural }) => isStructural))
  )
    return problems;
  const look = lookAgain(text, first);
  if (look === null) return problems;
  // Lines that fit as soon as the fault is gone were never misplaced.
  const own = problems.filter(
    ({ code, line }) =>
      !isBroken || look.badLines.has(line) || !(code === 'moved-line' || unsettled.has(code)),
  );
  // What both saw is worded by the second one, which was not misled by what it left out.
  const byKey = new Map([...own, ...look.problems].map((one) => [keyOf(one), one]));
  return [...byKey.values()];
}

const unsettled: ReadonlySet<ProblemCode> = new Set(['bad-indentation', 'ambiguous-indentation']);

function keyOf({ code, line, column }: Noted): string {
  return `${code} ${line} ${column}`;
}

function lookAgain(text: string, first: Examination): SecondLook | null {
  const budget = { characters: mostCharacters };
  if (!first.faults.some(({ problem }) => problem.code === 'tab-indentation'))
    return lookAt({ text, shifts: new Map(), lost: [] }, budget);
  // What is certain: without those lines the rest says the same, whatever they say.
  const without = lookAt(withoutTabbedLines(text), budget);
  let best: SecondLook | null = null;
  for (const variant of withSpaces(text)) {
    const look = lookAt(variant, budget);
    if (look === null || look.badLines.size > 0 || (without !== null && !agree(look, without))) continue;
    if (look.problems.some(({ code }) => code === 'duplicate-key')) continue;
    // A width that was not meant makes problems of its own.
    if (best === null || look.problems.length < best.problems.length) best = look;
  }
  return best ?? without;
}

/** Whether both say the same of all that stands outside the holes of the second. */
function agree(look: SecondLook, without: SecondLook): boolean {
  const outside = (all: readonly Noted[]): string =>
    all
      .filter((one) => !without.isHidden(one))
      .map(keyOf)
      .sort()
      .join('\n');
  return outside(look.problems) === outside(without.problems);
}

function lookAt({ text, shifts, lost }: WithoutTabs, budget: { characters: number }): SecondLook | null {
  if (lost.length > mostHoles) return null;
  const rest = wholeText(text);
  for (const start of lost) leaveOut(rest, linesFrom(rest.text, start), locator(text, shifts));
  const syntax: Noted[] = [];
  const badLines = new Set<number>();
  for (let round = 1; round <= mostRounds; round += 1) {
    budget.characters -= rest.text.length;
    if (budget.characters < 0) return null;
    const document = parse(rest.text);
    if (document.errors.length > mostErrors) return null;
    const locate = locator(rest.text, shifts);
    const found = findSyntaxFaults(document, rest.text, locate);
    if (!isBlocked(found)) {
      const { report, problems } = collectProblems();
      const gaps = findGaps(document, rest);
      readProject(buildTree(document, rest.text, locate, report, gaps), report);
      return {
        badLines,
        problems: [...syntax, ...problems.filter(ownOf(rest, shifts))],
        isHidden: (at) => isSilent(rest, at),
      };
    }
    if (rest.holes.length + found.faults.length + found.badLines.length > mostHoles) return null;
    for (const { problem } of found.faults)
      if (clear.has(problem.code) && !isSilent(rest, problem)) syntax.push(problem);
    // Beside such a fault it is not certain that they are misplaced.
    if (!found.faults.some(({ isStructural }) => isStructural))
      for (const { line } of found.badLines) badLines.add(line);
    leaveOutFaults(rest, found, locate);
  }
  return null;
}

/** What a later round finds is its own mistake only where nothing else can have made it. */
const clear: ReadonlySet<ProblemCode> = new Set(['unclosed', 'needs-quotes', 'bad-escape', 'missing-colon']);

/** Whether a problem of what is left stands there in the whole text too. */
function ownOf(rest: Remainder, shifts: Shifts): (one: Noted) => boolean {
  const lines = rest.text.split('\n');
  const isLostName = lostNames(rest);
  return (one) => {
    const { code, line, column } = one;
    if (ofTheWhole.has(code) || isSilent(rest, one)) return false;
    if (code === 'unknown-alias') return !rest.lacksAnchor;
    return (
      code !== 'unknown-task' ||
      !isLostName((lines[line - 1] ?? '').slice(column - 1 + (shifts.get(line) ?? 0)))
    );
  };
}

/** What can only be said of all of the file. */
const ofTheWhole: ReadonlySet<ProblemCode> = new Set(['empty-file', 'no-tasks', 'nothing-to-run']);

function isBlocked({ faults, badLines }: SyntaxFaults): boolean {
  return badLines.length > 0 || faults.some(({ isStructural, span }) => isStructural || span !== null);
}

/** Leaves out what the faults of one round stand in, and at first only single values where it is no more than that. */
function leaveOutFaults(rest: Remainder, { faults, badLines, tokens }: SyntaxFaults, locate: Locate): void {
  const { text } = rest;
  const values = faults.flatMap(({ span }) => (span === null ? [] : [span]));
  if (values.length > 0) {
    for (const { from, to } of values)
      leaveOut(rest, { from, to, column: 0, isValue: true, holdsMore: false }, locate);
    return;
  }
  const structural = faults.filter(({ isStructural }) => isStructural);
  const holes = (
    structural.length > 0
      ? structural.map((fault) => ({ fault, hole: holeAround(text, tokens, fault.offset) }))
      : badLines.map(({ start }) => ({ fault: null, hole: linesFrom(text, start) }))
  ).sort((one, other) => one.hole.from - other.hole.from || other.hole.to - one.hole.to);
  const apart = holes.filter(({ hole }, index) =>
    holes.slice(0, index).every((before) => before.hole.to < hole.from),
  );
  // From the end, so that a brace that is put in moves nothing that is still to be done.
  for (const { fault, hole } of apart.toReversed()) {
    const isAlone = holes.every(
      (other) => other.hole === hole || other.hole.from > hole.to || other.hole.to < hole.from,
    );
    const isNew = rest.holes.every(({ from, to }) => to <= hole.from || from >= hole.to);
    const open =
      fault !== null && isAlone && isNew && !rest.cut.includes(fault.offset)
        ? openMapAt(tokens, fault, hole)
        : null;
    if (open === null) leaveOut(rest, hole, locate);
    else closeMap(rest, open, locate);
  }
}
