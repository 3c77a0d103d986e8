import type { AttemptState, RunState } from '../../src/core/run.ts';
import { createJobs, type Job } from './simulator-jobs.ts';
import { simulatedPlan } from './simulator-plan.ts';
import { createRandom, type Random } from '../random.ts';
import { BrokenRule, checkEnds, checkRules } from './simulator-rules.ts';
import {
  beginning,
  claim,
  createTable,
  insertRun,
  leaseMs,
  LostClaim,
  release,
  releaseDead,
  runOf,
  type LeftOut,
  type Lease,
  type RunRow,
} from './simulator-table.ts';
import { reconcile } from './simulator-worker.ts';

/** What a schedule came to, for whoever wants to know that it tried what it says. */
export type Simulated = {
  readonly steps: number;
  readonly runs: number;
  readonly attempts: number;
  /** How often each thing happened. */
  readonly events: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
};

type Worker = {
  readonly host: string;
  /** Of its session; a new one after each break. */
  session: number;
  alive: boolean;
  /** So many turns pass without it. */
  paused: number;
  doing: { readonly run: number; readonly lease: Lease; readonly steps: Generator<string, void> } | null;
};

/** What the longest pause before a retry, a lease and the tidying of a run need, many times over. */
const mostRounds = 400;

/**
 * Plays one schedule: workers that step some runs of two groups while what can go wrong does, and then a time in which
 * nothing does, at the end of which every run must be over. Throws `BrokenRule`.
 */
export function simulate(
  seed: number,
  { traced = false, without = null }: { readonly traced?: boolean; readonly without?: LeftOut | null } = {},
): Simulated {
  const random = createRandom(seed);
  const table = createTable(without);
  const trace: string[] = [];
  const events = new Map<string, number>();
  const finals = new Map<string, RunState | AttemptState>();
  const onCluster = random.chance(0.5);
  let sessions = 0;
  let steps = 0;
  let latest = table.clock;

  const openSession = (): number => {
    sessions += 1;
    table.sessions.add(sessions);
    return sessions;
  };
  const jobs = createJobs(table, random, { onCluster, note });
  const workers: Worker[] = ['north', 'south', 'west']
    .slice(0, 1 + random.below(3))
    .map((host) => ({ host, session: openSession(), alive: true, paused: 0, doing: null }));

  function note(event: string, detail = ''): void {
    events.set(event, (events.get(event) ?? 0) + 1);
    if (traced) trace.push(`${steps} +${(table.clock - beginning) / 1_000}s ${event} ${detail}`.trimEnd());
  }

  /** The worker's next small move: claims what is due, or goes on where it waited for an answer. */
  function move(worker: Worker): void {
    if (!worker.alive) return;
    if (worker.doing === null) {
      const taken = claim(table, worker.session);
      if (taken === null) return;
      note('claim', `${worker.host} run ${taken.run.id}`);
      const { run, lease } = taken;
      worker.doing = {
        run: run.id,
        lease,
        steps: reconcile(table, jobs.placeOf(worker.host), run.id, lease),
      };
      return;
    }
    try {
      const { done, value } = worker.doing.steps.next();
      if (traced) note('move', `${worker.host} run ${worker.doing.run} ${value ?? 'done'}`);
      if (done) worker.doing = null;
    } catch (error) {
      if (!(error instanceof LostClaim)) throw error;
      note('claim lost', worker.host);
      worker.doing = null;
    }
  }

  /** A word of the outside to the step that waits for it: that the world is away. */
  function failStep(worker: Worker): void {
    if (worker.doing === null) return;
    note('world away', worker.host);
    const { run, lease } = worker.doing;
    worker.doing = null;
    release(table, runOf(table, run), lease, 1_000 + random.below(2_000));
  }

  function crash(worker: Worker): void {
    if (!worker.alive) return;
    note('crash', worker.host);
    table.sessions.delete(worker.session);
    Object.assign(worker, { alive: false, doing: null });
    // Commands of a killed server are ended by their supervisors.
    if (!onCluster) for (const job of jobs.all.values()) if (job.host === worker.host) jobs.vanish(job);
  }

  function start(worker: Worker): void {
    if (worker.alive) return;
    note('restart', worker.host);
    Object.assign(worker, { alive: true, paused: 0, session: openSession() });
    for (const run of table.runs) if (run.finishedAt === null) run.dueAt = table.clock;
  }

  function cut(worker: Worker): void {
    if (!worker.alive) return;
    note('session cut', worker.host);
    table.sessions.delete(worker.session);
    worker.session = openSession();
  }

  /** Everything that may happen, and how often beside the others: each seed has more of some of it. */
  const often = (usual: number): number => usual * random.pick([0, 1, 1, 4]);
  const happenings: readonly (readonly [weight: number, what: () => void])[] = [
    [60, () => turn(random.pick(workers))],
    [20, () => some((job) => jobs.live(job, false))],
    [8, () => pass([10, 200, 1_000, 5_000])],
    [often(3), () => jump('forward', [30_000, 61_000, 300_000, 86_400_000])],
    [often(1), () => jump('back', [-1_000, -30_000, -3_600_000])],
    [often(2), () => crash(random.pick(workers))],
    [6, () => start(random.pick(workers))],
    [often(3), () => pause(random.pick(workers))],
    [often(1), () => cut(random.pick(workers))],
    [1, () => releaseDead(table)],
    [often(2), () => failStep(random.pick(workers))],
    [often(2), () => wake(random.pick(table.runs))],
    [often(1), () => some((job) => jobs.vanish(job))],
    [1, () => (table.runs.length < 4 ? push() : undefined)],
    [often(0.5), () => cancel(random.pick(table.runs))],
  ];
  const weights = happenings.reduce((sum, [weight]) => sum + weight, 0);

  function happen(): void {
    let left = random.below(weights * 2) / 2;
    for (const [weight, what] of happenings) {
      left -= weight;
      if (left < 0) return what();
    }
  }

  function turn(worker: Worker): void {
    if (worker.paused > 0) worker.paused -= 1;
    else move(worker);
  }

  function some(what: (job: Job) => void): void {
    if (jobs.all.size > 0) what(random.pick([...jobs.all.values()]));
  }

  function pass(times: readonly number[]): void {
    table.clock += random.pick(times);
  }

  function jump(way: string, times: readonly number[]): void {
    note('clock jumps', way);
    pass(times);
  }

  /** Often for longer than its lease, and in the middle of a step. */
  function pause(worker: Worker): void {
    note('paused', worker.host);
    worker.paused = 1 + random.below(40);
    if (worker.doing !== null && random.chance(0.5)) table.clock += leaseMs;
  }

  function wake(run: RunRow): void {
    if (run.finishedAt !== null) return;
    note('woken');
    run.dueAt = table.clock;
  }

  function cancel(run: RunRow): void {
    if (run.finishedAt !== null || run.cancel !== null) return;
    note('cancel', `run ${run.id}`);
    Object.assign(run, { cancel: 'cancel', cancelCause: 'Someone asked for it.' });
    run.dueAt = table.clock;
  }

  function push(): void {
    note('push');
    const plan = simulatedPlan(random);
    const whenBusy = random.pick(['allow', 'allow', 'queue', 'cancel'] as const);
    const supersedes = { allow: null, queue: 'waiting', cancel: 'all' } as const;
    const superseded = random.chance(0.05) ? 'It came late.' : null;
    insertRun(table, plan, {
      concurrencyGroup: random.pick(['one', 'one', 'other']),
      whenBusy,
      superseded,
      supersedes: superseded === null ? supersedes[whenBusy] : null,
    });
  }

  push();
  const turns = 20 + random.below(300);
  for (; steps < turns; steps += 1) {
    happen();
    latest = Math.max(latest, table.clock);
    checkRules(table, finals);
  }
  endWell(random);
  const attempts = [...table.attempts.values()].reduce((sum, rows) => sum + rows.length, 0);
  return { steps, runs: table.runs.length, attempts, events, trace };

  /** From here on everybody is there, nothing vanishes, and the clock goes on. */
  function endWell(own: Random): void {
    note('nothing goes wrong from here on');
    // A clock that was set back makes everything wait until it is where it was: no rule of AME's, and no fault of it.
    table.clock = Math.max(table.clock, latest);
    for (let round = 0; !isOver(); round += 1) {
      if (round > mostRounds)
        throw new BrokenRule(`not over after ${round} rounds in which nothing went wrong`);
      for (const worker of workers) {
        start(worker);
        worker.paused = 0;
      }
      // Whoever comes first takes the row; only its own host can go on with an attempt of a host.
      for (let moves = 0; moves < 20 * workers.length; moves += 1) move(own.pick(workers));
      releaseDead(table);
      for (const job of jobs.all.values()) if (own.chance(0.8)) jobs.live(job, true);
      table.clock += 20_000;
      steps += 1;
      checkRules(table, finals);
    }
    checkEnds(table);
  }

  function isOver(): boolean {
    return (
      jobs.all.size === 0 &&
      table.runs.every(({ finishedAt, dueAt }) => finishedAt !== null && dueAt === null)
    );
  }
}
