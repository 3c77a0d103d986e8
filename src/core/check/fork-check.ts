import type { Check } from '../check.ts';
import { markdownCode, markdownLine, plainLine } from '../escape.ts';
import { cutText, longestTitle } from './fit.ts';
import { runCheckName } from './run-check.ts';

export type ForkReport = {
  readonly task: string;
  readonly pullRequest: number;
  /** At the head of the pull request. */
  readonly commit: string;
  readonly externalId: string;
  readonly url: string | null;
};

/**
 * Stands where a run of the task would: code of a fork runs only once someone who may write says so. It has the run's
 * name, so that a required check waits for it, and the run's own check takes its place.
 */
export function forkCheck(report: ForkReport): Check {
  const { task, pullRequest, commit } = report;
  const title = 'Waits for someone with write access: this comes from a fork';
  const branch = `pull-${pullRequest}`;
  const fetch = `git fetch origin pull/${pullRequest}/head && git push origin ${commit}:refs/heads/${branch}`;
  return {
    name: runCheckName(task),
    status: 'completed',
    conclusion: 'action_required',
    title: cutText(plainLine(title), longestTitle),
    summary: [
      `Code of a fork never runs by itself: it would run with the rights and on the machines of this project. ${markdownCode(cutText(task, 200))} of ${markdownCode(commit.slice(0, 12))} waits until someone who may write here has read the change.`,
      'Whoever may write starts it by pushing the commit to a branch of this repository, if pushes to it run the task:',
      markdownCode(fetch),
      markdownLine('That run has this repository’s secrets, so read the change first.'),
    ].join('\n\n'),
    text: '',
    annotations: [],
    lines: [fetch],
    externalId: report.externalId,
    url: report.url,
  };
}
