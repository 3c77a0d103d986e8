import { plainLine } from '../../core/escape.ts';
import { connect } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { findRun } from '../find-run.ts';
import { readRun, type RunDetail } from '../follow-run.ts';
import { lastWordLines } from '../last-words.ts';
import { tableLines } from '../table.ts';
import { print, printJson, type Terminal } from '../terminal.ts';
import { noticesOf } from '../verdict.ts';
import {
  ago,
  attemptTook,
  attemptWhy,
  coreUse,
  memoryUse,
  pageAddress,
  painter,
  runName,
  shortRef,
  took,
  why,
} from '../words.ts';

/** Shows one run: what it is, how it stands, and every attempt of its tasks. */
export async function showRun(
  terminal: Terminal,
  name: string,
  options: { readonly json?: true },
): Promise<ExitCode> {
  const client = await connect(terminal);
  const run = await readRun(client, (await findRun(terminal, client, name)).id);
  if (options.json) {
    printJson(terminal, run);
    return exitCodes.good;
  }
  const { colors } = terminal;
  const reason = plainLine(why(run));
  const state = painter(colors, run.state)(run.state);
  print(terminal, `${colors.bold(runName(run))} ${state}${reason === '' ? '' : `: ${reason}`}`);
  for (const line of factLines(run)) print(terminal, line);
  print(terminal);
  for (const line of attemptLines(terminal, run)) print(terminal, line);
  for (const notice of noticesOf(run)) print(terminal, `notice: ${plainLine(notice)}`);
  for (const line of lastWordLines(run.attempts)) print(terminal, line);
  print(terminal);
  print(terminal, pageAddress(run.url, client.token));
  return exitCodes.good;
}

function factLines(run: RunDetail): readonly string[] {
  const now = new Date();
  const asked = run.cancelRequestedAt !== null && run.finishedAt === null ? ', asked to end' : '';
  return tableLines(
    [{ title: '' }, { title: '' }],
    [
      ['task', run.task],
      ['commit', `${run.commit} on ${shortRef(run.ref)} of ${run.repository}`],
      ['made', `${ago(run.createdAt, now)} by ${run.trigger.replaceAll('_', ' ')}${asked}`],
      ['took', took(run, now)],
      ['plan', run.planDigest],
    ],
  ).slice(1);
}

function attemptLines({ colors }: Terminal, run: RunDetail): readonly string[] {
  return tableLines(
    [
      { title: 'TASK' },
      { title: 'STATE' },
      { title: 'TRY', side: 'right' },
      { title: 'TOOK', side: 'right' },
      { title: 'EXIT', side: 'right' },
      { title: 'MEMORY', side: 'right' },
      { title: 'CORES', side: 'right' },
      { title: 'WHY' },
    ],
    run.attempts.map((attempt) => [
      attempt.task,
      { text: attempt.state, paint: painter(colors, attempt.state) },
      String(attempt.number),
      attemptTook(attempt),
      attempt.signal ?? (attempt.exitCode === null ? '' : String(attempt.exitCode)),
      memoryUse(attempt),
      coreUse(attempt),
      attemptWhy(attempt),
    ]),
    colors.bold,
  );
}
