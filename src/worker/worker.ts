import type { Context } from '../context.ts';
import { releaseDead, wakeAtStart, wakeRunOf, type Queue } from '../db/due.ts';
import { postponeTicks } from '../db/ticks.ts';
import { openWorkerSession, type WorkerSession } from '../db/worker.ts';
import { briefError, describeError } from '../log.ts';
import type { StepOutcome } from '../metrics.ts';
import { createCheckPace } from './check-pace.ts';
import { tellCheck } from './checks.ts';
import { decideDelivery } from './deliveries.ts';
import { sweepApp } from './github-apps.ts';
import { sweepInstallation } from './installations.ts';
import { createLoop, type Loop } from './loop.ts';
import { sweepRepository } from './repositories.ts';
import { runRetention } from './retention-timer.ts';
import { reconcileRun } from './runs.ts';
import { tickSchedules } from './schedules.ts';
import { createLooks } from './tick-commits.ts';
import { together } from './tick-together.ts';
import { createTurns } from './turns.ts';

/** The loops of this process, each of which can also be stepped by hand. */
export type Loops = { readonly [queue in Queue]: Loop };

export function createLoops(ctx: Context, worker: () => number): Loops {
  const { db, log, config, executor, directoryOf, github, metrics } = ctx;
  const urlOf = (run: { readonly id: number }): string => `${ctx.address()}/runs/${run.id}`;
  const shared = (queue: Queue) => ({
    queue,
    db,
    log,
    worker,
    leaseSeconds: 60,
    onStep: (outcome: StepOutcome, seconds: number): void => metrics.stepEnded(queue, outcome, seconds),
  });
  const checkPace = createCheckPace();
  const turns = createTurns();
  const looks = createLooks();
  return {
    deliveries: createLoop({
      ...shared('deliveries'),
      concurrency: 4,
      step: (claim) =>
        decideDelivery({ db, log, github, directoryOf, urlOf, address: ctx.address, turns, metrics }, claim),
    }),
    github_apps: createLoop({
      ...shared('github_apps'),
      concurrency: 1,
      // Asks for up to fifty deliveries, each of which may take ten seconds.
      leaseSeconds: 900,
      step: (claim) => sweepApp({ db, log, github }, claim),
    }),
    installations: createLoop({
      ...shared('installations'),
      concurrency: 2,
      // An organisation of ten thousand repositories is a hundred pages.
      leaseSeconds: 900,
      step: (claim) => sweepInstallation({ db, log, github }, claim),
    }),
    repositories: createLoop({
      ...shared('repositories'),
      concurrency: 2,
      step: (claim) => sweepRepository({ db, log, directoryOf, github }, claim),
    }),
    schedules: createLoop({
      ...shared('schedules'),
      // Worked on together, in one transaction.
      concurrency: 500,
      // No notice tells that it is time.
      pollMs: 200,
      step: together(
        (claims, end) => tickSchedules({ db, log, github, directoryOf, looks }, claims, end),
        (claims, error) => postponeTicks(db, claims, briefError(error)),
      ),
    }),
    runs: createLoop({
      ...shared('runs'),
      concurrency: 8,
      step: (claim) =>
        reconcileRun(
          {
            db,
            executor,
            storage: ctx.storage,
            temporary: ctx.temporary,
            host: config.host,
            log,
            urlOf,
            checkPace,
            metrics,
            resourceDefaults: config.resourceDefaults,
          },
          claim,
        ),
    }),
    checks: createLoop({
      ...shared('checks'),
      concurrency: 4,
      step: (claim) => tellCheck({ db, github }, claim),
    }),
  };
}

export type Worker = { stop(): Promise<void> };

/** Milliseconds between two tries to open a session while the database is away. */
const reopenMs = 500;

/** Runs the loops until it is stopped. When the session breaks, a new one under a new number takes its place. */
export async function startWorker(ctx: Context): Promise<Worker> {
  const stopping = new AbortController();
  const onNotice = (topic: string): void => {
    ctx.hints.say(topic);
    if (topic in loops) loops[topic as keyof Loops].hint();
  };
  let session: WorkerSession = await openWorkerSession(ctx.databaseUrl, onNotice);
  const loops = createLoops(ctx, () => session.worker);
  ctx.executor.watch((attempt) => void wakeAttempt(ctx, attempt));
  await wakeAtStart(ctx.db);
  const keeping = keepSession();
  const running = Promise.all(Object.values(loops).map((loop) => loop.run(stopping.signal)));
  const { db, storage, log, config } = ctx;
  const sweeping = runRetention({ db, storage, log, keep: config.retention }, stopping.signal);

  async function keepSession(): Promise<void> {
    const stopped = new Promise<null>((resolve) =>
      stopping.signal.addEventListener('abort', () => resolve(null)),
    );
    for (;;) {
      const broken = await Promise.race([session.lost, stopped]);
      if (broken === null) return;
      ctx.log.warn({ error: describeError(broken) }, 'the worker lost its session');
      for (;;) {
        const next = await openWorkerSession(ctx.databaseUrl, onNotice).catch(() => null);
        if (next) {
          session = next;
          await takeBack();
          break;
        }
        await ctx.hints.wait('worker', reopenMs, stopping.signal);
        if (stopping.signal.aborted) return;
      }
    }
  }

  /** What was held under the number of the broken session, and what nobody told us of meanwhile. */
  async function takeBack(): Promise<void> {
    for (const [queue, loop] of Object.entries(loops) as [keyof Loops, Loop][]) {
      // The loop looks for such claims by itself, only later.
      await releaseDead(ctx.db, queue).catch(() => 0);
      loop.hint();
    }
  }

  return {
    async stop() {
      stopping.abort();
      await running;
      await keeping;
      await sweeping;
      await session.close().catch(() => {});
    },
  };
}

/** A hint of the executor; the run is looked at before long anyway. */
async function wakeAttempt(ctx: Context, attempt: number): Promise<void> {
  const { db, log } = ctx;
  try {
    await wakeRunOf(db, attempt);
  } catch (error) {
    log.debug({ attempt, error: describeError(error) }, 'a hint was lost');
  }
}
