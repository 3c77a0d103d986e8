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

/**
 * Names the ending of an attempt that is over: by its report, or with `null` because nothing is there any more.
 * A stop that was asked for decides, whatever the command then answered: one that ends with 0 when it is told
 * to end has not done its work.
 */
export function classify(
  report: Pick<AttemptReport, 'ending' | 'fault'> | null,
  stopReason: StopReason | null,
): Classification {
  const ending = readEnding(report?.ending ?? null);
  const plain = (name: OutcomeClass, reason = outcomes[name].message) => ({ class: name, reason, ...ending });
  if (stopReason !== null) return plain(stopped[stopReason]);
  if (report === null) return plain('lost');
  if (report.fault !== null) return plain(report.fault.class, report.fault.message);
  return classifyEnding(ending, report.ending?.commandNotFound ?? null, plain);
}

function classifyEnding(
  ending: Ending,
  missing: string | null,
  plain: (name: OutcomeClass, reason?: string) => Classification,
): Classification {
  const { exitCode, signal } = ending;
  if (signal !== null) return plain('signal', `The command was ended by ${signal}.`);
  // Over, without a fault and without an ending: nobody saw the command end.
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
