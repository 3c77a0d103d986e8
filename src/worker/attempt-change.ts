import { leavesEndOpen, type LastWords } from '../core/outcome/last-words.ts';
import { isFinal } from '../core/run.ts';
import type { AttemptStep } from '../core/run/step.ts';
import { readReport, type Attempt, type AttemptChange } from '../db/attempts.ts';

/**
 * What is stored of a change of an attempt. `row` is the attempt as it was read, where it was; `host` is the machine
 * that alone can see it, where it only now begins on one; `lastWords` are those of pods that are over without a report.
 */
export function attemptChange(
  { task, position, number, from, to, cause }: AttemptStep,
  row: Attempt | undefined,
  host: string | null,
  lastWords: ReadonlyMap<number, LastWords>,
): AttemptChange {
  const report = row === undefined ? null : readReport(row);
  const words = row === undefined ? undefined : lastWords.get(row.id);
  return {
    task,
    position,
    number,
    from,
    cause,
    state: to.state,
    class: to.class,
    reason: to.reason,
    exitCode: to.exitCode,
    signal: to.signal,
    queuedAt: to.queuedAt,
    readyAt: to.readyAt,
    startedAt: to.startedAt,
    finishedAt: to.finishedAt,
    stopReason: to.stopReason,
    pendingWhy: to.pendingWhy,
    ...(to.seenAt !== null && { seenAt: to.seenAt }),
    ...(from === 'waiting' && to.state === 'queued' && host !== null && { host }),
    ...(from === 'waiting' && to.resources !== null && { resources: to.resources }),
    // Where a report came after all it may say more.
    ...(words !== undefined && leavesEndOpen(report) && isFinal(to.state) && { lastWords: words }),
    ...(report !== null && {
      preparedFrom: report.phases.preparedFrom,
      endedAt: report.phases.endedAt,
      storedAt: report.phases.storedAt,
      output: report.output,
      peakMemoryBytes: report.peakMemoryBytes,
      cpuSeconds: report.cpuSeconds ?? null,
    }),
  };
}
