import type { Problem } from './problems.ts';
import { problem } from './problems.ts';
import type { Project } from './project.ts';
import { isWithinBounds } from './project-file/bounds.ts';
import { examine } from './project-file/examine.ts';
import { withFurtherProblems } from './project-file/look-again.ts';
import { repairIndentation } from './project-file/repair.ts';
import { collectProblems, noted } from './project-file/report.ts';
import type { Noted } from './project-file/report.ts';
import { readText } from './project-file/text.ts';

// A hostile file has a hundred thousand problems, and each one is stored and shown.
const mostShown = 200;

/**
 * Reads an `ame.yaml`. `project` is `null` exactly when a problem has severity error; problems come in the order
 * of the file. Never throws, whatever the content, and takes bounded time and memory.
 */
export function parseProjectFile(content: Uint8Array | string): {
  project: Project | null;
  problems: Problem[];
} {
  const { report, problems } = collectProblems();
  const text = readText(content, report);
  if (text === null || !isWithinBounds(text, report)) return { project: null, problems: inOrder(problems) };
  const first = examine(text);
  const repaired = repairIndentation(text, first);
  const { project } = repaired;
  const found = withFurtherProblems(text, first, repaired);
  // Where a character was replaced, what else is said of its line follows from that.
  const replaced = new Set(problems.map(({ line }) => line));
  const all = [...problems, ...found.filter(({ line }) => !replaced.has(line))];
  return {
    project: all.some(({ severity }) => severity === 'error') ? null : project,
    problems: inOrder(all),
  };
}

/** What an `ame.yaml` that is a symbolic link says: nothing, since a link may lead anywhere. */
export function refuseLinkedFile(): { project: null; problems: Problem[] } {
  return { project: null, problems: [problem('file-is-link', { line: 1, column: 1, path: '' }, {})] };
}

function inOrder(problems: readonly Noted[]): Problem[] {
  const byPlace = (one: Noted, other: Noted): number => one.line - other.line || one.column - other.column;
  const sorted = problems.toSorted(byPlace);
  if (sorted.length <= mostShown) return sorted.map(({ worded }) => worded());
  // Errors are what must be known; the rest is cut first.
  const isError = ({ severity }: Noted): boolean => severity === 'error';
  const shown = [...sorted.filter(isError), ...sorted.filter((one) => !isError(one))]
    .slice(0, mostShown)
    .sort(byPlace);
  const { line, column } = shown.at(-1) ?? { line: 1, column: 1 };
  const rest = noted('more-problems', { line, column, path: '' }, { count: sorted.length - mostShown });
  return [...shown, rest].map(({ worded }) => worded());
}
