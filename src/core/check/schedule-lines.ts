import { markdownCode, markdownLine, plainLine } from '../escape.ts';
import { counted } from '../problems/wording.ts';
import { cutText } from './fit.ts';

/** What a commit's file means for the schedules. */
export type ScheduleReport = {
  /**
   * `follow`: they are those of this commit. `elsewhere`: the default branch has another one. `kept`: this file cannot
   * be read, and the last good one of the default branch goes on.
   */
  readonly state: 'follow' | 'elsewhere' | 'kept';
  /** The commit of that last good file. */
  readonly commit: string | null;
  readonly schedules: readonly {
    readonly name: string;
    readonly task: string;
    readonly zone: string;
    /** The next ones, as the clocks of the zone show them. */
    readonly ticks: readonly string[];
    /** A person has paused it. */
    readonly paused: boolean;
  }[];
};

/** More would hide what the check is about. */
const mostShown = 10;

/** The lines of a check about schedules, as Markdown and as plain text; none where there are no schedules. */
export function scheduleLines(report: ScheduleReport | null): {
  readonly markdown: readonly string[];
  readonly plain: readonly string[];
} {
  if (report === null || report.schedules.length === 0) return { markdown: [], plain: [] };
  const shown = report.schedules.slice(0, mostShown);
  const left = report.schedules.length - shown.length;
  const more = left === 0 ? [] : [`…and ${counted(left, 'more schedule')}: ame schedule list shows all.`];
  const head = headOf(report);
  const rows = shown.map((each) => {
    const { name, task, zone, ticks, paused } = each;
    const next = paused ? 'paused by a person' : `next ${ticks.join(', ')} (${zone})`;
    return { name: cutText(name, 100), task: cutText(task, 100), next };
  });
  return {
    markdown: [
      head,
      [
        ...rows.map(
          ({ name, task, next }) => `- ${markdownCode(name)} of ${markdownCode(task)}: ${markdownLine(next)}`,
        ),
        ...more.map((line) => `- ${line}`),
      ].join('\n'),
    ],
    plain: [
      head,
      ...rows.map(({ name, task, next }) => `  ${plainLine(`${name} of ${task}: ${next}`)}`),
      ...more,
    ],
  };
}

function headOf({ state, commit }: ScheduleReport): string {
  switch (state) {
    case 'follow':
      return 'Schedules:';
    case 'elsewhere':
      return 'Schedules follow the default branch. By this file they would be:';
    case 'kept':
      return `This file cannot be read, so the schedules go on as the last good file of the default branch says${
        commit === null ? '' : ` (commit ${commit.slice(0, 12)})`
      }:`;
  }
}
