import { parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { isAbsence } from '../problems.ts';
import type { Project } from '../project.ts';
import { withoutTraces } from '../without-traces.ts';
import { locator } from './lines.ts';
import type { Locate, Shifts } from './lines.ts';
import { readProject } from './read-project.ts';
import { collectProblems } from './report.ts';
import type { Noted } from './report.ts';
import { findSyntaxFaults } from './syntax-faults.ts';
import type { BadLine, SyntaxFault } from './syntax-faults.ts';
import { buildTree } from './tree.ts';

/** What one text says, read once; lines that must move are not among the problems. */
export type Examination = {
  readonly project: Project | null;
  readonly problems: readonly Noted[];
  readonly badLines: readonly BadLine[];
  readonly faults: readonly SyntaxFault[];
  /** So many errors that trying to repair it makes no sense. */
  readonly isHopeless: boolean;
  /** How many characters were parsed for it. */
  readonly cost: number;
};

const mostRounds = 4;
// Large files are read fewer times, and those that are mostly errors once: each error costs the parser a stack trace.
const mostCharacters = 512 * 1024;
const mostErrors = 300;

/** What the parser makes of a text, with all errors that it finds. */
export function parse(text: string): Document.Parsed {
  return withoutTraces(() =>
    parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'error', version: '1.2' }),
  );
}

/**
 * Reads a text that is within bounds. Values that break the syntax are reported, then replaced by harmless text
 * of the same length, so that everything else in the file is still told at once.
 */
export function examine(text: string, shifts: Shifts = new Map()): Examination {
  const values: SyntaxFault[] = [];
  let current = text;
  for (let round = 1; ; round += 1) {
    const document = parse(current);
    const locate = locator(current, shifts);
    const { faults, badLines } = findSyntaxFaults(document, current, locate);
    const spans = faults.flatMap(({ span }) => (span === null ? [] : [span]));
    const isHopeless = document.errors.length > mostErrors;
    if (spans.length > 0 && !isHopeless && round <= mostRounds && round * text.length <= mostCharacters) {
      values.push(...faults.filter(({ span }) => span !== null));
      for (const { from, to } of spans)
        current = current.slice(0, from) + 'x'.repeat(to - from) + current.slice(to);
      continue;
    }
    const { report, problems } = collectProblems();
    const project = readProject(buildTree(document, current, locate, report), report);
    const all = [...values, ...faults];
    const meant = problems.filter(meantBeside(all, badLines, locate));
    return {
      project,
      isHopeless,
      cost: round * text.length,
      problems: [...all.map(({ problem }) => problem), ...meant],
      badLines,
      faults: all,
    };
  }
}

/** Tells problems of the content that are their own from those that only follow from text that is broken. */
function meantBeside(
  faults: readonly SyntaxFault[],
  badLines: readonly BadLine[],
  locate: Locate,
): (found: Noted) => boolean {
  const broken = [
    ...badLines.map(({ breaksFrom }) => breaksFrom),
    ...faults.filter(({ isStructural }) => isStructural).map(({ problem }) => problem.line),
  ];
  const first = Math.min(...broken);
  const reported = new Map<number, (readonly [from: number, to: number])[]>();
  for (const { span, problem } of faults) {
    const { line, column } = span === null ? problem : locate(span.from);
    const length = span === null ? 0 : span.to - span.from;
    reported.set(line, [...(reported.get(line) ?? []), [column, column + length]]);
  }
  return ({ line, column, code }) => {
    if (line >= first || (broken.length > 0 && isAbsence(code))) return false;
    return !(reported.get(line) ?? []).some(([from, to]) => column >= from && column <= to);
  };
}
