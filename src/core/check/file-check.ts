import { annotate, mostListed, problemLines, type Check, type CheckConclusion } from '../check.ts';
import { markdownBlock, markdownCode, markdownLine, plainLine, visibleText } from '../escape.ts';
import type { Problem, Severity } from '../problems.ts';
import { counted } from '../problems/wording.ts';
import type { Decision } from '../trigger/decision.ts';
import { scheduleLines, type ScheduleReport } from './schedule-lines.ts';
import { cutText, fitRows, largestMarkdown, longestTitle } from './fit.ts';

export type FileReport = {
  /** `null` where the file does not even tell its project's name. */
  readonly project: string | null;
  readonly problems: readonly Problem[];
  /** `null` where the file was only checked. */
  readonly decision: Decision | null;
  readonly runs: readonly { readonly number: number; readonly task: string; readonly url: string }[];
  /** Left out where the file was only checked. */
  readonly schedules?: ScheduleReport | null;
  readonly externalId: string;
  readonly url: string | null;
};

/** More would scroll the beginning out of sight. */
const mostLines = 60;

/** What a commit is told about its file: the problems, what runs, or the rule and line that said no. */
export function fileCheck(report: FileReport): Check {
  const { problems, decision, runs } = report;
  const title = cutText(plainLine(titleOf(report)), longestTitle);
  const lines = [
    ...problems.flatMap(problemLines),
    ...decisionLines(report, title),
    ...scheduleLines(report.schedules ?? null).plain,
  ];
  return {
    name: 'ame.yaml',
    status: 'completed',
    conclusion: concludeFile(problems, decision),
    title,
    summary: fitRows(
      summaryOf(report),
      runs.map((run) => runRow(report.project, run)),
      largestMarkdown,
      (count) => `…and ${counted(count, 'more run')}.`,
    ),
    text: problemTable(problems),
    annotations: annotate(problems),
    lines:
      lines.length <= mostLines
        ? lines
        : [...lines.slice(0, mostLines), `…and ${counted(lines.length - mostLines, 'more line')}.`],
    externalId: report.externalId,
    url: report.url,
  };
}

function count(problems: readonly Problem[], severity: Severity): number {
  return problems.filter((problem) => problem.severity === severity).length;
}

/** Green is for what runs: a green mark on a commit that ran nothing would be read as a success of its tasks. */
function concludeFile(problems: readonly Problem[], decision: Decision | null): CheckConclusion {
  if (count(problems, 'error') > 0) return 'failure';
  return decision?.outcome === 'no-run' ? 'neutral' : 'success';
}

function titleOf({ problems, decision }: FileReport): string {
  const errors = count(problems, 'error');
  const warnings = count(problems, 'warning');
  const found = [
    ...(errors > 0 ? [counted(errors, 'error')] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
  ].join(' and ');
  if (errors > 0) return `${found} in ame.yaml`;
  const what =
    decision === null
      ? 'ame.yaml is valid'
      : decision.outcome === 'run'
        ? `Runs ${decision.tasks.join(', ')}`
        : `Nothing runs: ${decision.message}`;
  return warnings > 0 ? `${found}. ${what}` : what;
}

function summaryOf({ project, problems, decision, runs, schedules }: FileReport): string {
  const parts = [
    project === null
      ? 'The file `ame.yaml` of this commit.'
      : `Project ${markdownCode(cutText(project, 200))}.`,
  ];
  if (decision !== null) {
    parts.push(markdownLine(cutText(decision.message, 1000)));
    if (decision.remedy !== null)
      parts.push(
        'It would run with this in `ame.yaml`:',
        markdownBlock(cutText(decision.remedy, 2000), 'yaml'),
      );
  }
  if (problems.length > mostListed) {
    parts.push(
      `${mostListed} of the ${counted(problems.length, 'problem')} stand beside their lines; \`ame check\` shows all.`,
    );
  }
  parts.push(...scheduleLines(schedules ?? null).markdown);
  if (runs.length > 0) parts.push('Runs:\n');
  return parts.join('\n\n');
}

function runRow(project: string | null, run: FileReport['runs'][number]): string {
  return `- ${markdownCode(`${cutText(project ?? '', 200)}#${run.number}`)} of ${markdownCode(cutText(run.task, 200))}`;
}

function problemTable(problems: readonly Problem[]): string {
  if (problems.length === 0) return '';
  const head = '| Line | | What is wrong | What to write |\n| ---: | --- | --- | --- |';
  const rows = problems.map(({ line, severity, message, remedy }) => {
    const cells = [message, remedy].map((text) => markdownLine(cutText(text, 500)));
    return `| ${line} | ${severity} | ${cells.join(' | ')} |`;
  });
  return fitRows(
    head,
    rows,
    largestMarkdown,
    (left) => `…and ${counted(left, 'more problem')}: \`ame check\` shows all.`,
  );
}

function decisionLines({ project, decision, runs }: FileReport, title: string): readonly string[] {
  if (decision === null) return [];
  const said = plainLine(decision.message);
  const lines = title.endsWith(said) ? [] : [said];
  if (decision.remedy !== null) {
    lines.push(
      'It would run with this in ame.yaml:',
      ...visibleText(cutText(decision.remedy, 2000))
        .split('\n')
        .map((line) => `  ${line}`),
    );
  }
  for (const run of runs)
    lines.push(`${plainLine(`${project ?? ''}#${run.number} of ${run.task}`)}: ${plainLine(run.url)}`);
  return lines;
}
