import { sql } from 'drizzle-orm';
import type { PlacedRun } from '../../src/db/runs.ts';
import { createClock, type Clock } from '../journeys/harness.ts';
import type { Fault } from './points.ts';
import { createWorld, type Ground, type World, type WorldOptions } from './world.ts';

/** A way through AME, and its end in a form in which two of them are alike. */
export type Journey = {
  readonly name: string;
  /** Without a ground it makes its own. */
  play(faults: readonly Fault[], ground?: Ground): Promise<Played>;
};

export type Played = {
  readonly end: readonly string[];
  readonly met: World['met'];
  readonly done: World['done'];
  readonly restarts: number;
};

type Named = { readonly owner: string; readonly name: string };

/** Whether everything that is to be done is done: decided, ended, told. */
export async function isStill(world: World, runs: number, of: Named = world.clone): Promise<boolean> {
  const { ctx, read } = world.ame();
  const { rows } = await ctx.db.orm.execute<{ open: number }>(sql`select (
    (select count(*) from runs where finished_at is null) +
    (select count(*) from deliveries where decided_at is null) +
    (select count(*) from checks where said is distinct from says))::int as open`);
  return rows[0]?.open === 0 && (await read.runs(of)).length >= runs;
}

/** The same, and somebody has looked at what was pushed: a push of which nobody was told is found in a minute. */
export async function isDecided(world: World, of: Named = world.clone): Promise<boolean> {
  return (await isStill(world, 0, of)) && (await world.ame().read.decisions(of)).length > 0;
}

/** Whether the command of the newest run runs. */
export async function isRunning(world: World, of: Named = world.clone): Promise<boolean> {
  const { read } = world.ame();
  const run = (await read.runs(of)).at(-1);
  return run !== undefined && (await read.attempts(run)).some((row) => row.state === 'running');
}

/** Of a command that was ended: how far it came is chance. */
export function withoutLog(end: readonly string[]): readonly string[] {
  return end.map((line) => line.replace(/"(begun\\n)?"/, 'log'));
}

/** Rows, what was said of them, what was kept: without ids, times, and how often something was tried. */
export async function endOf(world: World, of: Named = world.clone): Promise<string[]> {
  const { read } = world.ame();
  const lines: string[] = [];
  const runs = await read.runs(of);
  for (const run of runs) {
    const causes = `${run.trigger} ${run.causeKey.replace(run.commit, 'commit')}`;
    lines.push(`run ${causes} ${run.state} ${run.class ?? '-'} ${run.reason ?? '-'}`);
    const check = await read.check(run.commit, run);
    lines.push(`check ${check.name} ${check.says.status} ${check.says.conclusion ?? '-'}`);
    for (const state of await read.states(run)) {
      const task = state.split(' ')[0] ?? '';
      lines.push(`${state}: ${JSON.stringify(await readLog(world, run, task))}`);
      for (const artifact of await read.artifacts(run, task))
        lines.push(`${task} left ${artifact.path}: ${JSON.stringify(await read.content(artifact))}`);
    }
  }
  return lines;
}

/** What the command printed; what AME itself said is about how it went. */
async function readLog(world: World, run: PlacedRun, task: string): Promise<string> {
  return (await world.ame().read.log(run, task, 1)) + (await world.ame().read.log(run, task, 2));
}

/** `around`: what else of the outside there is, and how the world is told of it. */
export function local(
  name: string,
  play: (world: World, clock: Clock) => Promise<readonly string[]>,
  around?: () => Promise<AsyncDisposable & Pick<WorldOptions, 'env' | 'begun'>>,
): Journey {
  return {
    name,
    async play(faults, ground) {
      const clock = createClock();
      await using outside = await around?.();
      const { env = {}, begun } = outside ?? {};
      await using world = await createWorld(faults, { clock, ground, env, ...(begun && { begun }) });
      const end = await play(world, clock);
      return { end, met: [...world.met], done: [...world.done], restarts: world.restarts() };
    },
  };
}
