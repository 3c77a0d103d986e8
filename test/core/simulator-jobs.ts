import type { Observation } from '../../src/core/attempt.ts';
import type { Random } from '../random.ts';
import { BrokenRule } from './simulator-rules.ts';
import { attemptsOf, say, type Table } from './simulator-table.ts';
import type { Place } from './simulator-worker.ts';
import { report } from './step-view.ts';

/** What runs outside: a Job of a cluster, or a process of a host. */
export type Job = {
  readonly run: number;
  readonly task: string;
  readonly attempt: number;
  readonly host: string | null;
  state: 'pending' | 'running';
  startedAt: Date | null;
  askedToStop: boolean;
};

export type Jobs = {
  readonly all: ReadonlyMap<number, Job>;
  /** What a worker sees and asks for. */
  placeOf(host: string): Place;
  /** What a job does next by itself; with `well` nothing goes wrong. */
  live(job: Job, well: boolean): void;
  /** It is gone without a word. */
  vanish(job: Job): void;
};

export function createJobs(
  table: Table,
  random: Random,
  {
    onCluster,
    note,
  }: { readonly onCluster: boolean; readonly note: (event: string, detail?: string) => void },
): Jobs {
  const jobs = new Map<number, Job>();

  function placeOf(own: string): Place {
    return {
      host: onCluster ? null : own,
      observe: (attempt: number): Observation => {
        const job = jobs.get(attempt);
        if (job === undefined || (!onCluster && job.host !== own)) return { kind: 'absent' };
        if (job.startedAt !== null) return { kind: 'running', startedAt: job.startedAt };
        return { kind: 'pending', ...(onCluster && { exists: true }) };
      },
      start: (row: { readonly id: number; readonly task: string }, run: number): void => {
        if (jobs.has(row.id)) return;
        note('start', `attempt ${row.id}`);
        const host = onCluster ? null : own;
        const job: Job = {
          run,
          task: row.task,
          attempt: row.id,
          host,
          state: 'pending',
          startedAt: null,
          askedToStop: false,
        };
        jobs.set(row.id, job);
      },
      stop: (attempt: number): void => {
        const job = jobs.get(attempt);
        if (job !== undefined) job.askedToStop = true;
      },
    };
  }

  /** What a job does next by itself. */
  function live(job: Job, well: boolean): void {
    const row = attemptsOf(table, job.run).find(({ id }) => id === job.attempt);
    if (row === undefined) throw new BrokenRule(`a job of no attempt: ${job.attempt}`);
    if (job.state === 'pending') {
      // It asks for its input first, and the door refuses what has ended or has said that it did.
      const isRefused = row.finishedAt !== null || row.report !== null || job.askedToStop;
      if (isRefused && table.without !== 'the door') {
        note(row.finishedAt === null ? 'stopped before it began' : 'refused at the door');
        if (row.finishedAt === null && job.askedToStop) say(table, job.attempt, { report: report(143) });
        jobs.delete(job.attempt);
        return;
      }
      if (isRefused && !job.askedToStop)
        throw new BrokenRule(`attempt ${job.attempt} began once more after it was over`);
      if (row.state === 'waiting')
        throw new BrokenRule(`attempt ${job.attempt} began and is stored as waiting`);
      begin(job);
      return;
    }
    if (row.finishedAt !== null) {
      note('refused while it ran');
      jobs.delete(job.attempt);
      return;
    }
    if (row.saidStartedAt === null && (well || random.chance(0.7))) {
      say(table, job.attempt, { startedAt: job.startedAt ?? new Date(table.clock) });
      return;
    }
    if (!well && random.chance(0.1)) {
      note('vanished', `attempt ${job.attempt}`);
      jobs.delete(job.attempt);
      return;
    }
    const exitCode = job.askedToStop ? 143 : !well && random.chance(0.25) ? 1 : 0;
    note('ended', `attempt ${job.attempt} ${exitCode}`);
    say(table, job.attempt, { report: report(exitCode) });
    jobs.delete(job.attempt);
  }

  function begin(job: Job): void {
    note('begun', `attempt ${job.attempt}`);
    for (const other of jobs.values()) {
      if (other === job || other.run !== job.run || other.task !== job.task || other.state !== 'running')
        continue;
      if (!other.askedToStop)
        throw new BrokenRule(
          `${job.task} of run ${job.run} runs twice at once: attempts ${other.attempt} and ${job.attempt}`,
        );
    }
    Object.assign(job, { state: 'running', startedAt: new Date(table.clock) });
  }

  return {
    all: jobs,
    placeOf,
    live,
    vanish(job) {
      note('vanished', `attempt ${job.attempt}`);
      jobs.delete(job.attempt);
    },
  };
}
