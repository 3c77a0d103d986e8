import { plainLine } from '../core/escape.ts';
import type { Client } from './client.ts';
import { exitCodes, type ExitCode } from './fault.ts';
import type { RunDetail } from './follow-run.ts';
import { print, type Terminal } from './terminal.ts';
import { pageAddress, painter, runName, took, why } from './words.ts';

/** Says how a run ended and where to see more. */
export function printVerdict(terminal: Terminal, client: Client, run: RunDetail): void {
  const { colors } = terminal;
  const reason = plainLine(why(run));
  const time = took(run, new Date());
  print(terminal);
  print(
    terminal,
    `${colors.bold(runName(run))} ${painter(colors, run.state)(run.state)}${time === '' ? '' : ` after ${time}`}${reason === '' ? '' : `: ${reason}`}`,
  );
  for (const notice of noticesOf(run)) print(terminal, `notice: ${plainLine(notice)}`);
  print(terminal, pageAddress(run.url, client.token));
}

/** Each once, in the order of the tasks. */
export function noticesOf(run: Pick<RunDetail, 'attempts'>): readonly string[] {
  return [...new Set(run.attempts.flatMap(({ notices }) => notices))];
}

/** The exit code that a run's end means. */
export function verdictCode(run: Pick<RunDetail, 'state'>): ExitCode {
  return run.state === 'succeeded' ? exitCodes.good : exitCodes.badRun;
}
