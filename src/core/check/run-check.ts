import {
  cancelAction,
  mostListed,
  type Check,
  type CheckAnnotation,
  type CheckConclusion,
  type CheckStatus,
} from '../check.ts';
import { markdownBlock, markdownCode, markdownLine, plainLine, visibleText } from '../escape.ts';
import { outcomes, type OutcomeClass } from '../outcome/classes.ts';
import type { LastWords } from '../outcome/last-words.ts';
import { counted } from '../problems/wording.ts';
import { isFinal, type AttemptState, type RunState } from '../run.ts';
import { showBytes, showDuration } from './amounts.ts';
import { byteLength, cutText, fitRows, fitTail, largestMarkdown, lastLines, longestTitle } from './fit.ts';

/** The latest attempt of one task. */
export type TaskReport = {
  readonly name: string;
  readonly state: AttemptState;
  /** Of running; `null` before it started. */
  readonly seconds: number | null;
  /** From 1. */
  readonly attempt: number;
  readonly class: OutcomeClass | null;
  readonly reason: string | null;
  /** Why one that is queued is not running yet, where that is known. */
  readonly pendingWhy: string | null;
  /** Seconds; a phase that was not reached is `null`. */
  readonly phases: {
    readonly waiting: number | null;
    readonly preparing: number | null;
    readonly running: number | null;
    readonly storing: number | null;
  };
};

export type RunReport = {
  readonly project: string;
  readonly number: number;
  readonly task: string;
  readonly commit: string;
  readonly ref: string;
  readonly state: RunState;
  readonly reason: string | null;
  readonly seconds: number | null;
  /** In the order of the plan. */
  readonly tasks: readonly TaskReport[];
  readonly artifacts: readonly {
    readonly task: string;
    readonly path: string;
    readonly size: number;
    /** Where it is downloaded from. */
    readonly url: string;
  }[];
  /** The end of a log that explains the verdict. */
  readonly log: { readonly task: string; readonly text: string } | null;
  /** What the pod said itself of the failure that came first, where no report says how it ended. */
  readonly lastWords?: { readonly task: string; readonly said: LastWords['said'] } | null;
  readonly notices: readonly string[];
  /** Lines of the repository at which tasks failed. */
  readonly annotations: readonly CheckAnnotation[];
  /** What has no annotation for want of room: tasks whose log was not read, and earlier exceptions of those that were. */
  readonly unread: { readonly tasks: number; readonly exceptions: number };
  /** Who asked for it; `null` where no person did. */
  readonly requestedBy: string | null;
  /** What to type to see more. */
  readonly command: string;
  readonly externalId: string;
  readonly url: string;
};

const logBudget = 16 * 1024;
const artifactBudget = 8 * 1024;
const mostLines = 60;
/** Of what a container said last. */
const wordLines = 10;
const wordBudget = 2 * 1024;

/** What a commit is told about one run of it. */
export function runCheck(run: RunReport): Check {
  return {
    name: runCheckName(run.task),
    status: statusOf(run.state),
    conclusion: concludeRun(run),
    title: cutText(plainLine(titleOf(run)), longestTitle),
    summary: summaryOf(run),
    text: textOf(run),
    annotations: run.annotations.slice(0, mostListed),
    lines: linesOf(run),
    externalId: run.externalId,
    url: run.url,
    actions: isFinal(run.state) ? [] : [cancelAction],
  };
}

/** The same for every run of a task, so that it can be a required check. */
export function runCheckName(task: string): string {
  return cutText(plainLine(`ame / ${task}`), longestTitle);
}

/** The task whose runs have a check of this name; `null` where it is another check's. */
export function taskOfRun(name: string): string | null {
  return name.startsWith('ame / ') ? name.slice('ame / '.length) : null;
}

function statusOf(state: RunState): CheckStatus {
  if (isFinal(state)) return 'completed';
  return state === 'running' ? 'in_progress' : 'queued';
}

const conclusions = { succeeded: 'success', cancelled: 'cancelled', skipped: 'skipped' } as const;
const timeouts: ReadonlySet<OutcomeClass | null> = new Set(['timeout', 'queue_timeout', 'deadline']);

function concludeRun({ state, tasks }: RunReport): CheckConclusion | null {
  if (!isFinal(state)) return null;
  if (state !== 'failed') return conclusions[state];
  const failed = tasks.filter((task) => task.state === 'failed');
  return failed.length > 0 && failed.every((task) => timeouts.has(task.class)) ? 'timed_out' : 'failure';
}

function titleOf(run: RunReport): string {
  const took = run.seconds === null ? '' : ` after ${showDuration(run.seconds)}`;
  if (run.state === 'queued') return `Waiting to start ${counted(run.tasks.length, 'task')}`;
  if (run.state === 'running') return `Running ${counted(run.tasks.length, 'task')}`;
  const failed = run.tasks.filter((task) => task.state === 'failed');
  const [first] = failed;
  if (run.state === 'failed' && first !== undefined) {
    // The run's reason is that of the failure that came first, which need not be the first in the plan.
    const why = run.reason ?? `${first.name}: ${first.reason ?? labelOf(first)}`;
    return `Failed${took}${failed.length > 1 ? ` (${failed.length} tasks)` : ''}: ${why}`;
  }
  const word = `${run.state.charAt(0).toUpperCase()}${run.state.slice(1)}${took}`;
  return run.reason === null ? word : `${word}: ${run.reason}`;
}

/** Why a task waits, in words; `null` where it does not, or nobody knows why. */
function waitOf({ state, pendingWhy }: TaskReport): string | null {
  return state === 'queued' && pendingWhy !== null ? `waits: ${pendingWhy}` : null;
}

function labelOf(task: TaskReport): string {
  return task.class === null ? task.state : outcomes[task.class].label;
}

function summaryOf(run: RunReport): string {
  const head = [
    `Run ${markdownCode(cutText(`${run.project}#${run.number}`, 200))} of ${markdownCode(cutText(run.task, 200))} at ${markdownCode(run.commit.slice(0, 12))} on ${markdownCode(cutText(run.ref, 300))}.`,
    ...(run.requestedBy === null ? [] : [`Asked for by ${markdownCode(cutText(run.requestedBy, 200))}.`]),
    ...(run.reason === null ? [] : [markdownLine(cutText(run.reason, 1000))]),
    ...unreadLine(run),
    `More: ${markdownCode(cutText(run.command, 300))}`,
    '',
  ].join('\n\n');
  const failed = run.tasks
    .filter((task) => task.state === 'failed')
    .map((task) => `- ${explain(task, markdownCode, markdownLine)}`);
  const waits = run.tasks.flatMap((task) => {
    const wait = waitOf(task);
    return wait === null
      ? []
      : [`- ${markdownCode(cutText(task.name, 300))} ${markdownLine(cutText(wait, 500))}`];
  });
  const notices = run.notices.map((notice) => `- Notice: ${markdownLine(cutText(notice, 500))}`);
  return fitRows(
    head,
    [...failed, ...waits, ...notices],
    largestMarkdown,
    (count) => `…and ${counted(count, 'more line')}.`,
  ).trimEnd();
}

/** What stands beside no line although it has one is counted. */
function unreadLine({ unread, annotations }: RunReport): readonly string[] {
  const exceptions = unread.exceptions + Math.max(0, annotations.length - mostListed);
  const parts = [
    ...(unread.tasks > 0 ? [`those of ${counted(unread.tasks, 'more failed task')}`] : []),
    ...(exceptions > 0 ? [counted(exceptions, 'earlier one')] : []),
  ];
  return parts.length === 0 ? [] : [`Exceptions that stand beside no line here: ${parts.join(' and ')}.`];
}

function explain(task: TaskReport, name: (text: string) => string, line: (text: string) => string): string {
  const tries = task.attempt > 1 ? ` (try ${task.attempt})` : '';
  return `${name(cutText(task.name, 300))} ${labelOf(task)}${tries}: ${line(cutText(task.reason ?? '', 500))}`;
}

function textOf(run: RunReport): string {
  const log = logSection(run);
  const artifacts = artifactSection(run);
  const words = lastWordsSection(run);
  const budget = largestMarkdown - byteLength(words) - byteLength(log) - byteLength(artifacts) - 6;
  return [taskTable(run, budget), words, log, artifacts].filter((part) => part !== '').join('\n\n');
}

function taskTable({ tasks, command }: RunReport, budget: number): string {
  const head = '| Task | State | Time | Where it went | Try | Why |\n| --- | --- | ---: | --- | ---: | --- |';
  const rows = tasks.map((task) => {
    const time = task.seconds === null ? '' : showDuration(task.seconds);
    const state = task.state === 'failed' ? `failed: ${labelOf(task)}` : task.state;
    const why =
      task.state === 'succeeded' ? '' : markdownLine(cutText(waitOf(task) ?? task.reason ?? '', 300));
    return `| ${markdownCode(cutText(task.name, 300))} | ${state} | ${time} | ${phasesOf(task)} | ${task.attempt} | ${why} |`;
  });
  return fitRows(
    head,
    rows,
    budget,
    (count) => `…and ${counted(count, 'more task')}: ${markdownCode(cutText(command, 300))}`,
  );
}

/** What took no time worth a word is left out. */
function phasesOf({ phases }: TaskReport): string {
  return (['waiting', 'preparing', 'running', 'storing'] as const)
    .flatMap((name) => {
      const seconds = phases[name] ?? 0;
      return seconds < 0.05 ? [] : [`${name} ${showDuration(seconds)}`];
    })
    .join(', ');
}

function logSection({ log }: RunReport): string {
  if (log === null) return '';
  // Shown first, cut then: a control character takes four times its room once it can be read.
  const tail = fitTail(visibleText(lastDrawn(log.text.slice(-4 * logBudget))), logBudget);
  const before = tail.leftOut === 0 ? '' : ` (${counted(tail.leftOut, 'line')} before these left out)`;
  return `### The end of the log of ${markdownCode(cutText(log.task, 300))}${before}\n\n${markdownBlock(tail.text)}`;
}

/** A short quote of what the containers of a pod said themselves: text of theirs, whatever it looks like. */
function lastWordsSection({ lastWords }: RunReport): string {
  if (!lastWords || lastWords.said.length === 0) return '';
  const quotes = lastWords.said.map(
    ({ container, text }) =>
      `Container ${markdownCode(container)}:\n\n${markdownBlock(fitTail(lastLines(visibleText(text), wordLines), wordBudget).text)}`,
  );
  return `### What the pod of ${markdownCode(cutText(lastWords.task, 300))} said last\n\n${quotes.join('\n\n')}`;
}

/** A progress bar draws its line again and again; only what it drew last is of interest. */
function lastDrawn(text: string): string {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  return lines.map((line) => line.slice(line.replace(/\r$/, '').lastIndexOf('\r') + 1)).join('\n');
}

function artifactSection({ artifacts, project, number }: RunReport): string {
  if (artifacts.length === 0) return '';
  const get = markdownCode(cutText(`ame artifacts ${project}#${number} --get <folder>`, 300));
  const rows = artifacts.map(
    ({ task, path, size, url }) =>
      `| [${markdownCode(cutText(path, 300))}](${url}) | ${showBytes(size)} | ${markdownCode(cutText(task, 300))} |`,
  );
  const head = `### ${counted(artifacts.length, 'artifact')}\n\n${get}\n\n| File | Size | Task |\n| --- | ---: | --- |`;
  return fitRows(head, rows, artifactBudget, (count) => `…and ${counted(count, 'more file')}.`);
}

function linesOf(run: RunReport): readonly string[] {
  const lines = run.tasks.map((task) => {
    const time = task.seconds === null ? '' : ` ${showDuration(task.seconds)}`;
    const wait = waitOf(task);
    const state =
      task.state === 'failed'
        ? `: ${explain(task, () => '', plainLine).trim()}`
        : wait === null
          ? ''
          : `, ${plainLine(cutText(wait, 500))}`;
    return `${plainLine(task.name)} ${task.state}${time}${state}`;
  });
  const left = lines.length - mostLines;
  const shown = left > 0 ? [...lines.slice(0, mostLines), `…and ${counted(left, 'more task')}.`] : lines;
  return [
    ...shown,
    ...run.notices.slice(0, 10).map((notice) => `notice: ${plainLine(notice)}`),
    plainLine(run.command),
  ];
}
