import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AttemptReport, Observation } from '../../src/core/attempt.ts';
import { planTask, type Plan } from '../../src/core/plan.ts';
import { conditions, type Task } from '../../src/core/project.ts';
import { isFinal, type AttemptState } from '../../src/core/run.ts';
import { stepRun, type RunView, type SeenAttempt } from '../../src/core/run/step.ts';
import { command, pipeline, projectOf } from './project-builder.ts';

const now = new Date('2026-02-03T04:05:06Z');
const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);

function planOf(
  tasks: Task[],
  timeout: { run: number | null; queue: number | null } = { run: null, queue: null },
): Plan {
  return planTask(projectOf([{ ...pipeline('main', tasks), timeout }]), 'main').plan;
}

function report(exitCode: number, given: Partial<AttemptReport> = {}): AttemptReport {
  const phases = { preparedFrom: at(-10), startedAt: at(-5), endedAt: at(-1), storedAt: at(0) };
  const ending = { exitCode, signal: null };
  return {
    ending,
    fault: null,
    phases,
    output: null,
    artifacts: [],
    notices: [],
    peakMemoryBytes: null,
    ...given,
  };
}

const plan = planOf([
  command('a', {
    retries: { max: 1, on: [{ kind: 'exit', from: 1, to: 9 }], backoff: 30 },
    timeout: { run: 60, queue: 20 },
  }),
  command('b'),
  command('side', { needs: [] }),
]);

function seen(given: Partial<SeenAttempt> = {}): SeenAttempt {
  return {
    task: 'a',
    position: plan.tasks.findIndex(({ name }) => name === (given.task ?? 'a')),
    number: 1,
    state: 'queued',
    class: null,
    reason: null,
    exitCode: null,
    signal: null,
    queuedAt: at(-10),
    readyAt: at(-10),
    startedAt: null,
    finishedAt: null,
    stopReason: null,
    notBefore: null,
    saidStartedAt: null,
    report: null,
    observation: { kind: 'absent' },
    ...given,
  };
}

/** A run of the plan above in which only `a` is of interest: `b` waits for it, and `side` has ended. */
function viewOf(active: readonly SeenAttempt[], given: Partial<RunView> = {}): RunView {
  return {
    plan,
    state: 'running',
    startedAt: at(-20),
    failure: null,
    cancel: null,
    held: false,
    states: plan.tasks.map(({ name }) =>
      name === 'side' ? 'succeeded' : name === 'a' ? (active[0]?.state ?? 'waiting') : 'waiting',
    ),
    active,
    earlier: new Map(),
    scopes: new Map(),
    ...given,
  };
}

/** A step in one line each: changes, retries, what is started and asked to end. */
function tell(view: RunView, moment = now): { readonly [part: string]: unknown } {
  const { changes, retries, start, stop, state, failure, lookAgainAt } = stepRun(view, moment);
  const names = (places: readonly { position: number; number: number }[]): string[] =>
    places.map(({ position, number }) => `${view.plan.tasks[position]?.name} ${number}`);
  const told = {
    changes: changes.map(
      ({ task, number, from, to }) =>
        `${task} ${number} ${from} > ${to.state}${to.class === null ? '' : ` ${to.class}`}`,
    ),
    retries: retries.map(
      ({ task, number, notBefore }) =>
        `${task} ${number} in ${(notBefore.getTime() - moment.getTime()) / 1_000}`,
    ),
    start: names(start),
    stop: names(stop),
    state: state === view.state ? [] : [state],
    failure: failure === null || failure === view.failure ? [] : [failure.class],
    look: lookAgainAt === null ? [] : [(lookAgainAt.getTime() - moment.getTime()) / 1_000],
  };
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value.length > 0));
}

const running = {
  state: 'running',
  startedAt: at(-5),
  observation: { kind: 'running', startedAt: at(-5) },
} as const;
const lost = { state: 'running', startedAt: at(-5) } as const;
const ended = (number: number, name: 'lost' | 'exit') =>
  ({
    ...seen({ number }),
    state: 'failed',
    class: name,
    exitCode: name === 'exit' ? 1 : null,
    finishedAt: at(-30),
  }) as const;

describe('one step', () => {
  test.each<[string, RunView, { readonly [part: string]: unknown }]>([
    [
      'a new run starts what needs nothing',
      viewOf([], { state: 'queued', startedAt: null, states: [] }),
      { changes: ['a 1 waiting > queued', 'side 1 waiting > queued'], start: ['a 1', 'side 1'] },
    ],
    [
      'a run that another one goes before starts nothing',
      viewOf([], { state: 'queued', startedAt: null, states: [], held: true }),
      {},
    ],
    ['what is queued and not to be seen is started again', viewOf([seen()]), { start: ['a 1'], look: [10] }],
    [
      'what waits for its place is left alone',
      viewOf([seen({ observation: { kind: 'pending' } })]),
      { look: [10] },
    ],
    [
      'the word that the command runs counts without a look',
      viewOf([seen({ saidStartedAt: at(-5), observation: { kind: 'pending' } })]),
      { changes: ['a 1 queued > running'], look: [55] },
    ],
    [
      'what is seen running, runs',
      viewOf([seen({ observation: { kind: 'running', startedAt: at(-5) } })]),
      { changes: ['a 1 queued > running'], look: [10] },
    ],
    [
      'what runs and is not to be seen was lost, and is tried again',
      viewOf([seen(lost)]),
      { changes: ['a 1 running > failed lost'], retries: ['a 2 in 1'], look: [1] },
    ],
    [
      'what said that it started and is not to be seen was lost too',
      viewOf([seen({ saidStartedAt: at(-5) })]),
      { changes: ['a 1 queued > failed lost'], retries: ['a 2 in 1'], look: [1] },
    ],
    [
      'the third time lost waits longest',
      viewOf([seen({ ...lost, number: 3 })], {
        earlier: new Map([['a', [ended(1, 'lost'), ended(2, 'lost')]]]),
      }),
      { changes: ['a 3 running > failed lost'], retries: ['a 4 in 15'], look: [15] },
    ],
    [
      'the fourth time lost is final',
      viewOf([seen({ ...lost, number: 4 })], {
        earlier: new Map([['a', [ended(1, 'lost'), ended(2, 'lost'), ended(3, 'lost')]]]),
      }),
      {
        changes: ['a 4 running > failed lost', 'b 1 waiting > skipped skipped'],
        state: ['failed'],
        failure: ['lost'],
      },
    ],
    [
      'a failure of the user counts apart from what was lost',
      viewOf([seen({ ...running, number: 2, report: report(1) })], {
        earlier: new Map([['a', [ended(1, 'lost')]]]),
      }),
      { changes: ['a 2 running > failed exit'], retries: ['a 3 in 30'], look: [30] },
    ],
    [
      'a success starts what comes next in the same step',
      viewOf([seen({ ...running, report: report(0) })]),
      { changes: ['a 1 running > succeeded succeeded', 'b 1 waiting > queued'], start: ['b 1'] },
    ],
    [
      'a report counts although nothing is to be seen',
      viewOf([seen({ ...lost, report: report(0) })]),
      { changes: ['a 1 running > succeeded succeeded', 'b 1 waiting > queued'], start: ['b 1'] },
    ],
    [
      'a failure that `retries` does not name is final',
      viewOf([seen({ ...running, report: report(10) })]),
      {
        changes: ['a 1 running > failed exit', 'b 1 waiting > skipped skipped'],
        state: ['failed'],
        failure: ['exit'],
      },
    ],
    [
      'a pause that is not over is looked at again',
      viewOf([seen({ state: 'waiting', number: 2, notBefore: at(7) })]),
      { look: [7] },
    ],
    [
      'a pause that is over ends in a start',
      viewOf([seen({ state: 'waiting', number: 2, notBefore: at(0) })]),
      { changes: ['a 2 waiting > queued'], start: ['a 2'], look: [0] },
    ],
    [
      'what ran too long is asked to end',
      viewOf([seen({ ...running, startedAt: at(-60) })]),
      { changes: ['a 1 running > running'], stop: ['a 1'] },
    ],
    [
      'what waited too long is asked to end',
      viewOf([seen({ readyAt: at(-20), observation: { kind: 'pending' } })]),
      { changes: ['a 1 queued > queued'], stop: ['a 1'] },
    ],
    [
      'what waited too long and was never started ends at once',
      viewOf([seen({ readyAt: at(-20) })]),
      {
        changes: ['a 1 queued > failed queue_timeout', 'b 1 waiting > skipped skipped'],
        state: ['failed'],
        failure: ['queue_timeout'],
      },
    ],
    [
      'what was asked to end is asked again, and not started again',
      viewOf([seen({ ...running, stopReason: 'timeout' })]),
      { stop: ['a 1'], look: [55] },
    ],
    [
      'what was asked to end has a class by that, whatever its exit code',
      viewOf([seen({ ...running, stopReason: 'deadline', report: report(0) })]),
      {
        changes: ['a 1 running > failed deadline', 'b 1 waiting > skipped skipped'],
        state: ['failed'],
        failure: ['deadline'],
      },
    ],
    [
      'a cancel asks what runs to end, and the rest never starts',
      viewOf([seen(running)], { cancel: 'cancel' }),
      { changes: ['a 1 running > running', 'b 1 waiting > cancelled cancelled'], stop: ['a 1'], look: [55] },
    ],
    [
      'a cancel of what was never started',
      viewOf([seen()], { cancel: 'superseded' }),
      {
        changes: ['a 1 queued > cancelled superseded', 'b 1 waiting > cancelled superseded'],
        state: ['cancelled'],
      },
    ],
    [
      'a cancel ends a pause',
      viewOf([seen({ state: 'waiting', number: 2, notBefore: at(7) })], { cancel: 'cancel' }),
      {
        changes: ['a 2 waiting > cancelled cancelled', 'b 1 waiting > cancelled cancelled'],
        state: ['cancelled'],
      },
    ],
    [
      'a cancel that comes after the end of a task leaves that as it was',
      viewOf([seen({ ...running, report: report(0) })], { cancel: 'cancel' }),
      {
        changes: ['a 1 running > succeeded succeeded', 'b 1 waiting > cancelled cancelled'],
        state: ['cancelled'],
      },
    ],
    [
      'after a cancel nothing is tried again',
      viewOf([seen(lost)], { cancel: 'cancel' }),
      {
        changes: ['a 1 running > cancelled cancelled', 'b 1 waiting > cancelled cancelled'],
        state: ['cancelled'],
      },
    ],
    [
      'the first failure stays the reason',
      viewOf([seen({ ...running, report: report(10) })], { failure: { class: 'lost', reason: 'side' } }),
      { changes: ['a 1 running > failed exit', 'b 1 waiting > skipped skipped'], state: ['failed'] },
    ],
  ])('%s', (_, view, told) => {
    expect(tell(view)).toEqual(told);
  });

  test('a pipeline whose time is over ends what runs, and starts nothing more', () => {
    const bounded = planOf(
      [command('a'), command('tidy', { if: 'always' }), command('last', { if: 'always' })],
      { run: 60, queue: null },
    );
    const scopes = new Map([['', { readyAt: at(-70), startedAt: at(-60) }]]);
    const base = { plan: bounded, scopes };
    expect(tell(viewOf([seen(running)], { ...base, states: ['running', 'waiting', 'waiting'] }))).toEqual({
      changes: ['a 1 running > running'],
      stop: ['a 1'],
      // Its own limit, a day after its start.
      look: [86_395],
    });
    const first = viewOf([seen({ ...running, stopReason: 'deadline', report: report(0) })], {
      ...base,
      states: ['running', 'waiting', 'waiting'],
    });
    expect(tell(first)).toEqual({
      changes: ['a 1 running > failed deadline', 'tidy 1 waiting > failed deadline'],
      failure: ['deadline'],
      look: [0],
    });
    expect(tell(viewOf([], { ...base, states: ['failed', 'failed', 'waiting'] }))).toMatchObject({
      changes: ['last 1 waiting > failed deadline'],
      state: ['failed'],
    });
  });
});

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
  for (const { task, position, number, notBefore } of step.retries) {
    expect(world.rows.filter((row) => row.position === position && row.finishedAt === null)).toEqual([]);
    world.rows.push(
      seen({ task, position, number, state: 'waiting', notBefore, queuedAt: null, readyAt: null }),
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
  readonly what: 'start' | 'end' | 'fail' | 'lose' | 'wait' | 'cancel' | 'step';
};

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
  if (what === 'end' || what === 'fail') {
    world.rows[index] = { ...row, report: report(what === 'end' ? 0 : 1) };
    world.executor.delete(key);
  }
}

const eventArbitrary: fc.Arbitrary<Event> = fc.record({
  pick: fc.nat(100),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Event['what'][]>('start', 'end', 'step', 'step') },
    { weight: 2, arbitrary: fc.constantFrom<Event['what'][]>('fail', 'lose', 'wait') },
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
        seen({ task: name, position, state: 'waiting', queuedAt: null, readyAt: null }),
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
