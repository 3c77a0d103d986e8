import type { AttemptReport, Ending } from './attempt.ts';
import { outcomes, type Classification, type OutcomeClass } from './outcome/classes.ts';
import { shown } from './problems/wording.ts';
import type { StopReason } from './run.ts';
import { readEnding } from './run/signals.ts';

const stopped = {
  cancel: 'cancelled',
  superseded: 'superseded',
  timeout: 'timeout',
  queue_timeout: 'queue_timeout',
  deadline: 'deadline',
} as const;

/** What of a report says how the attempt ended. */
export type ReportedEnd = Pick<AttemptReport, 'ending' | 'fault' | 'interrupted'>;

/**
 * Names the ending of an attempt that is over: by its report, or with `null` because nothing is there any more.
 * A stop that was asked for decides, whatever the command then answered: one that ends with 0 when it is told
 * to end has not done its work. `word` is the executor's, and decides where the report leaves the ending open.
 */
export function classify(
  report: ReportedEnd | null,
  stopReason: StopReason | null,
  word: Classification | null = null,
): Classification {
  const ending = readEnding(report?.ending ?? null);
  const plain = (name: OutcomeClass, reason = outcomes[name].message) => ({
    class: name,
    reason,
    exitCode: ending.exitCode,
    signal: ending.signal,
  });
  if (stopReason !== null && !(stopReason === 'timeout' && endedInTime(report)))
    return plain(stopped[stopReason]);
  if (report?.interrupted === 'timeout') return plain('timeout');
  if (report === null || isOpen(report)) {
    const open = report?.interrupted === 'taken' ? 'deleted' : 'lost';
    // Only the agent's word that all is stored makes a success.
    if (word === null || outcomes[word.class].state === 'succeeded') return plain(open);
    return {
      ...word,
      ...(ending.exitCode === null && ending.signal === null ? {} : plain(word.class, word.reason)),
    };
  }
  if (report.fault !== null) return plain(report.fault.class, report.fault.message);
  if (report.ending?.outOfMemory === true && ending.exitCode !== 0) return plain('out_of_memory');
  return classifyEnding(ending, report.ending?.commandNotFound ?? null, plain);
}

/**
 * Whether a command had ended by itself when AME, which had not heard of it, saw its time limit pass: after an hour in
 * which no agent reached AME, say. Only agents that keep the limit themselves say `null` in so many words.
 */
function endedInTime(report: ReportedEnd | null): boolean {
  return report?.interrupted === null && !isOpen(report);
}

/** Whether a report does not say what ended the command: its host took it away, or nobody saw it end. */
export function isOpen({ ending, fault, interrupted }: ReportedEnd): boolean {
  if (interrupted === 'taken') return true;
  if (fault !== null || interrupted === 'timeout') return false;
  return (
    ending === null || (ending.exitCode === null && ending.signal === null && ending.outOfMemory !== true)
  );
}

function classifyEnding(
  ending: Ending,
  missing: string | null,
  plain: (name: OutcomeClass, reason?: string) => Classification,
): Classification {
  const { exitCode, signal } = ending;
  if (signal !== null) return plain('signal', `The command was ended by ${signal}.`);
  if (exitCode === null) return plain('lost');
  if (exitCode === 0) return plain('succeeded');
  if (exitCode === 126) return plain('not_executable');
  if (exitCode !== 127) return plain('exit', `The command ended with exit code ${exitCode}.`);
  if (missing === null) return plain('command_not_found');
  return plain(
    'command_not_found',
    `The command ${shown(missing)} was not found. Is it installed, and is its name right?`,
  );
}
