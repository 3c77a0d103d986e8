import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Observation } from '../../src/core/attempt.ts';
import type { Plan } from '../../src/core/plan.ts';
import { conditions } from '../../src/core/project.ts';
import { isFinal, type AttemptState } from '../../src/core/run.ts';
import { stepRun, type RunView, type SeenAttempt } from '../../src/core/run/step.ts';
import { command } from './project-builder.ts';
import { at, planOf, report, resourceDefaults, seenAttempt } from './step-view.ts';

/** A world in memory: rows as they are saved, and attempts that an executor knows. */
type World = {
  readonly plan: Plan;
  clock: number;
  state: RunView['state'];
  failure: RunView['failure'];
  cancel: RunView['cancel'];
  readonly rows: SeenAttempt[];
  readonly executor: Map<string, Observation>;
};

const keyOf = ({ position, number }: { readonly position: number; readonly number: number }): string =>
  `${position}/${number}`;

function look(world: World): RunView {
  const last = new Map(world.rows.map((row) => [row.position, row.state]));
  const active = world.rows
    .filter(
      (row) =>
        row.state === 'queued' ||
        row.state === 'running' ||
        (row.state === 'waiting' && row.notBefore !== null),
    )
    .map((row) => ({ ...row, observation: world.executor.get(keyOf(row)) ?? ({ kind: 'absent' } as const) }));
  const earlier = Map.groupBy(
    world.rows.filter((row) => row.finishedAt !== null),
    (row) => row.task,
  );
  const states = world.plan.tasks.map((_, position): AttemptState => last.get(position) ?? 'waiting');
  const { plan: own, state, failure, cancel } = world;
  return {
    plan: own,
    state,
    startedAt: null,
    failure,
    cancel,
    held: false,
    states,
    active,
    earlier,
    scopes: new Map(),
    defaults: resourceDefaults,
    learned: new Map(),
  };
}

/** Saves a step and does what it asks for, and checks on the way that it may be asked for. */
function act(world: World, view: RunView): ReturnType<typeof stepRun> {
  const step = stepRun(view, at(world.clock));
  for (const { position, number, from, to } of step.changes) {
    const index = world.rows.findIndex((row) => row.position === position && row.number === number);
    const row = world.rows[index];
    expect(row?.state).toBe(from);
    expect(isFinal(from)).toBe(false);
    if (row) world.rows[index] = { ...row, ...to };
    if (from === 'waiting' && to.state === 'queued') {
      expect(world.cancel).toBeNull();
      const needs = world.plan.tasks[position]?.needs ?? [];
      for (const need of needs) expect(isFinal(lastOf(world, need))).toBe(true);
    }
  }
  for (const { task, position, number, notBefore, resources } of step.retries) {
    expect(world.rows.filter((row) => row.position === position && row.finishedAt === null)).toEqual([]);
    world.rows.push(
      seenAttempt({
        task,
        position,
        number,
        state: 'waiting',
        notBefore,
        resources,
        queuedAt: null,
        readyAt: null,
      }),
    );
  }
  for (const place of step.start)
    if (!world.executor.has(keyOf(place))) world.executor.set(keyOf(place), { kind: 'pending' });
  world.state = step.state;
  world.failure = step.failure;
  return step;
}

function lastOf(world: World, task: string): AttemptState {
  return world.rows.findLast((row) => row.task === task)?.state ?? 'waiting';
}

type Event = {
  readonly pick: number;
  readonly what: 'start' | 'end' | 'fail' | 'lose' | 'move' | 'take' | 'starve' | 'wait' | 'cancel' | 'step';
};

const preempted = { class: 'preempted', reason: 'It made room.', exitCode: null, signal: null } as const;

/** Something happens outside; a step may follow it or not, like a hint that is lost. */
function happen(world: World, { pick, what }: Event): void {
  const entries = [...world.executor.entries()];
  const [key = '', observation] = entries[pick % Math.max(1, entries.length)] ?? [];
  const index = world.rows.findIndex((row) => keyOf(row) === key);
  const row = world.rows[index];
  if (what === 'wait') world.clock += pick;
  if (what === 'cancel') world.cancel ??= 'cancel';
  if (!row || !observation || isFinal(row.state)) return;
  if (what === 'start') world.executor.set(key, { kind: 'running', startedAt: at(world.clock) });
  if (what === 'lose') world.executor.delete(key);
  if (what === 'move') world.executor.set(key, { kind: 'over', ending: preempted });
  if (what === 'take') world.rows[index] = { ...row, report: report(143, { interrupted: 'taken' }) };
  if (what === 'starve')
    world.rows[index] = {
      ...row,
      report: report(137, { ending: { exitCode: 137, signal: null, outOfMemory: true } }),
    };
  if (what === 'end' || what === 'fail') {
    world.rows[index] = { ...row, report: report(what === 'end' ? 0 : 1) };
    world.executor.delete(key);
  }
}

const eventArbitrary: fc.Arbitrary<Event> = fc.record({
  pick: fc.nat(100),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Event['what'][]>('start', 'end', 'step', 'step') },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Event['what'][]>('fail', 'lose', 'wait', 'move', 'take', 'starve'),
    },
    { weight: 1, arbitrary: fc.constantFrom<Event['what'][]>('cancel', 'step', 'step', 'step') },
  ),
});

const planArbitrary: fc.Arbitrary<Plan> = fc
  .array(
    fc.record({
      if: fc.constantFrom(...conditions),
      needs: fc.array(fc.nat(6), { maxLength: 2 }),
      max: fc.nat(2),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((tasks) =>
    planOf(
      tasks.map(({ if: condition, needs, max }, index) =>
        command(`t${index}`, {
          if: index === 0 ? 'success' : condition,
          needs: [...new Set(needs.filter((need) => need < index).map((need) => `t${need}`))],
          retries: { max, on: [{ kind: 'exit', from: 1, to: 255 }], backoff: 10 },
        }),
      ),
    ),
  );

test('whatever happens in whatever order, a run ends, once, and by the rules', () => {
  fc.assert(
    fc.property(planArbitrary, fc.array(eventArbitrary, { maxLength: 60 }), (own, events) => {
      const rows = own.tasks.map(({ name }, position) =>
        seenAttempt({ task: name, position, state: 'waiting', queuedAt: null, readyAt: null }),
      );
      const world: World = {
        plan: own,
        clock: 0,
        state: 'queued',
        failure: null,
        cancel: null,
        rows,
        executor: new Map(),
      };
      const step = (): void => {
        act(world, look(world));
        const places = world.rows.filter((row) => row.finishedAt === null).map((row) => row.task);
        expect(new Set(places).size).toBe(places.length);
        // Said twice it changes nothing more.
        const again = stepRun(look(world), at(world.clock));
        expect([
          again.changes.filter(({ from, to }) => from !== to.state),
          again.retries,
          again.state,
        ]).toEqual([[], [], world.state]);
      };
      for (const event of events) {
        happen(world, event);
        if (event.what === 'step') step();
      }
      // From here on all that runs ends well, all that is asked is done, and the clock goes on.
      for (let round = 0; !isFinal(world.state); round += 1) {
        expect(round).toBeLessThan(100);
        step();
        for (const row of world.rows)
          happen(world, { pick: [...world.executor.keys()].indexOf(keyOf(row)), what: 'end' });
        world.clock += 400;
      }
      expect(world.rows.every((row) => isFinal(row.state) && row.class !== null)).toBe(true);
      expect(world.failure !== null).toBe(world.state === 'failed');
      const last = own.tasks.map(({ name }) => lastOf(world, name));
      expect(world.state === 'failed').toBe(last.includes('failed'));
      if (world.cancel === null) expect(last).not.toContain('cancelled');
      const after = { ...world, rows: [...world.rows] };
      expect(act(after, look(after)).changes).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
