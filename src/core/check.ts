import { cutText, longestTitle } from './check/fit.ts';
import { plainLine, visibleText } from './escape.ts';
import type { Problem, Severity } from './problems.ts';

export type CheckStatus = 'queued' | 'in_progress' | 'completed';
export type CheckConclusion =
  'success' | 'failure' | 'neutral' | 'cancelled' | 'action_required' | 'skipped' | 'timed_out';

/** A word beside a line of the file. Plain text: hosts do not read Markdown here. */
export type CheckAnnotation = {
  readonly path: string;
  readonly line: number;
  readonly column: number | null;
  readonly level: 'failure' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
};

/** A button beside a check; the host tells us its identifier when someone presses it. */
export type CheckAction = {
  /** At most 20 characters. */
  readonly label: string;
  /** At most 40 characters. */
  readonly description: string;
  /** At most 20 characters. */
  readonly identifier: string;
};

/** What a commit is told, as plain data within the host's limits. */
export type Check = {
  readonly name: string;
  readonly status: CheckStatus;
  /** Only of a completed one. */
  readonly conclusion: CheckConclusion | null;
  /** Plain text, at most 255 characters. */
  readonly title: string;
  /** Markdown, less than 65,535 bytes, like `text`. */
  readonly summary: string;
  readonly text: string;
  /** At most 500, the weightiest first where there were more; a host is sent them 50 at a time. */
  readonly annotations: readonly CheckAnnotation[];
  /** The same for a terminal: one line each, without the title and the address. */
  readonly lines: readonly string[];
  /** Ours: the host is asked for it before a create is repeated. */
  readonly externalId: string;
  readonly url: string | null;
  /** At most three; absent like empty: none. */
  readonly actions?: readonly CheckAction[];
};

/** What one request to a host may carry. */
export const mostAnnotations = 50;
/** What a commit is told beside the lines of its files; the others are counted. */
export const mostListed = 500;

/** Ends the run whose check it stands beside. */
export const cancelAction: CheckAction = {
  label: 'Cancel',
  description: 'Ends this run and all of its tasks',
  identifier: 'cancel',
};

const levels = { error: 'failure', warning: 'warning', notice: 'notice' } as const;
const weight: { readonly [severity in Severity]: number } = { error: 0, warning: 1, notice: 2 };

/** The heaviest problems first where there are too many, and then in the order of the file. */
export function annotate(problems: readonly Problem[]): readonly CheckAnnotation[] {
  return problems
    .toSorted((a, b) => weight[a.severity] - weight[b.severity])
    .slice(0, mostListed)
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map(({ severity, code, line, column, message, remedy }) => ({
      path: 'ame.yaml',
      line,
      column,
      level: levels[severity],
      title: cutText(plainLine(code), longestTitle),
      message: cutText(visibleText(`${message}\n${remedy}`).trim(), 4000),
    }));
}

/** One problem for a terminal: where and what, then what to write instead. The same on the server and in the CLI. */
export function problemLines(problem: Problem): readonly string[] {
  const { severity, line, column, message, remedy } = problem;
  const first = `ame.yaml:${line}:${column}: ${severity}: ${plainLine(message)}`;
  return [
    first,
    ...visibleText(remedy)
      .split('\n')
      .filter((text) => text.trim() !== '')
      .map(indent),
  ];
}

function indent(text: string): string {
  return `  ${text.replaceAll('\t', '  ')}`;
}

/** A check for a terminal, such as the remote lines of a push: no control characters but newlines. */
export function plainCheck(check: Check): string {
  const state = check.conclusion ?? check.status;
  const lines = [`${check.name}: ${state.replaceAll('_', ' ')}: ${check.title}`, ...check.lines];
  if (check.url !== null) lines.push(check.url);
  return `${lines.map((line) => visibleText(line).replaceAll('\t', '  ').replaceAll('\n', ' ')).join('\n')}\n`;
}
