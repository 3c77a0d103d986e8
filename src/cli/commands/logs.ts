import { isFinal } from '../../core/run.ts';
import { plainLine } from '../../core/escape.ts';
import type { AttemptShape } from '../../server/api/shapes.ts';
import { connect, type Client } from '../client.ts';
import { exitCodes, inputFault, type ExitCode } from '../fault.ts';
import { findRun } from '../find-run.ts';
import { followLog } from '../follow-log.ts';
import { followRun, readRun, type RunDetail } from '../follow-run.ts';
import { createLineReader } from '../log-lines.ts';
import { readLog } from '../read-log.ts';
import { print, writeBytes, type Terminal } from '../terminal.ts';
import { logLine, pad, textWidth } from '../text.ts';

export type LogsOptions = { readonly follow?: true; readonly attempt?: number };

/** Prints what a run, or one of its tasks, has printed; with `follow` also what it prints until it has ended. */
export async function logs(
  terminal: Terminal,
  name: string,
  task: string | undefined,
  options: LogsOptions,
): Promise<ExitCode> {
  if (options.attempt !== undefined && task === undefined)
    throw inputFault('--attempt needs a task: ame logs <run> <task> --attempt <number>');
  const client = await connect(terminal);
  const run = await readRun(client, (await findRun(terminal, client, name)).id);
  if (task !== undefined) requireTask(run, task);
  if (
    task !== undefined &&
    (options.follow !== true || options.attempt !== undefined || isFinal(run.state))
  ) {
    await printAttempt(terminal, client, attemptOf(run, task, options.attempt), options);
  } else if (options.follow && !isFinal(run.state)) {
    await followRun(terminal, client, run.id, task === undefined ? {} : { task });
  } else {
    await printAll(terminal, client, run);
  }
  return exitCodes.good;
}

function requireTask(run: RunDetail, task: string): void {
  const names = [...new Set(run.attempts.map((attempt) => attempt.task))];
  if (!names.includes(task)) {
    throw inputFault(`The run has no task "${plainLine(task)}". It has ${names.map(plainLine).join(', ')}.`);
  }
}

function attemptOf(run: RunDetail, task: string, number: number | undefined): AttemptShape {
  const tries = run.attempts.filter((attempt) => attempt.task === task);
  const found = number === undefined ? tries.at(-1) : tries.find((attempt) => attempt.number === number);
  if (found === undefined)
    throw inputFault(`Task "${plainLine(task)}" has had ${triesOf(tries.length)}, not ${number}.`);
  return found;
}

function triesOf(count: number): string {
  return count === 1 ? '1 try' : `${count} tries`;
}

/** One attempt: the bytes as they are for programs, and safe lines on a terminal. */
async function printAttempt(
  terminal: Terminal,
  client: Client,
  attempt: AttemptShape,
  options: LogsOptions,
): Promise<void> {
  const safe = createLineReader((text) => print(terminal, logLine(text)));
  const parts =
    options.follow && !isFinal(attempt.state) ? followLog(client, attempt.id) : readLog(client, attempt.id);
  for await (const { bytes, pieces } of parts) {
    if (terminal.stdout.isTTY) safe.push(pieces);
    else await writeBytes(terminal, bytes);
  }
  safe.end();
}

/** The last try of each task, in the order of the plan, each line with the name of its task. */
async function printAll(terminal: Terminal, client: Client, run: RunDetail): Promise<void> {
  const last = [...new Map(run.attempts.map((attempt) => [attempt.task, attempt])).values()];
  const width = Math.max(0, ...last.map(({ task }) => textWidth(plainLine(task))));
  for (const attempt of last) {
    if (attempt.state === 'waiting' || attempt.state === 'skipped') continue;
    const name = pad(plainLine(attempt.task), width);
    const head = last.length === 1 ? '' : `${terminal.colors.dim(`${name} |`)} `;
    const reader = createLineReader((text) => print(terminal, head + logLine(text)));
    for await (const { pieces } of readLog(client, attempt.id)) reader.push(pieces);
    reader.end();
  }
}
