import { describe, expect, test } from 'vitest';
import { stepRun, type RunView, type SeenAttempt } from '../../src/core/run/step.ts';
import { showSize } from '../../src/core/quantity.ts';
import { resolveResources } from '../../src/core/resources.ts';
import { command } from './project-builder.ts';
import { at, now, planOf, report, resourceDefaults, seenAttempt } from './step-view.ts';

const plan = planOf([
  command('a', {
    retries: { max: 1, on: [{ kind: 'exit', from: 1, to: 9 }], backoff: 30 },
    timeout: { run: 60, queue: 20 },
  }),
  command('b'),
  command('side', { needs: [] }),
]);

function seen(given: Partial<SeenAttempt> = {}): SeenAttempt {
  const task = given.task ?? 'a';
  return seenAttempt({ task, position: plan.tasks.findIndex(({ name }) => name === task), ...given });
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
    defaults: resourceDefaults,
    learned: new Map(),
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
const preempted = { class: 'preempted', reason: 'It made room.', exitCode: null, signal: null } as const;
const takenAway = { kind: 'running', startedAt: at(-5), taken: preempted } as const;
const interrupted = report(143, { interrupted: 'taken' });
const storedAt = (seconds: number) => ({
  ...interrupted,
  phases: { ...interrupted.phases, storedAt: at(seconds) },
});
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
      'what was taken away is tried again once the cluster says why',
      viewOf([seen({ ...running, observation: takenAway, report: interrupted })]),
      { changes: ['a 1 running > failed preempted'], retries: ['a 2 in 5'], look: [5] },
    ],
    [
      'what is being taken away goes on until somebody says that it is over',
      viewOf([seen({ ...running, observation: takenAway })]),
      { look: [55] },
    ],
    [
      'why it was taken away is waited for, for a while',
      viewOf([seen({ ...running, report: interrupted })]),
      { look: [20] },
    ],
    [
      'and not for ever',
      viewOf([seen({ ...running, report: storedAt(-20) })]),
      { changes: ['a 1 running > failed deleted'], retries: ['a 2 in 1'], look: [1] },
    ],
    [
      'and not for an hour that only the clock of the agent knows',
      viewOf([seen({ ...running, report: storedAt(3_600) })]),
      { changes: ['a 1 running > failed deleted'], retries: ['a 2 in 1'], look: [1] },
    ],
    [
      'what is gone has nothing more to say',
      viewOf([seen({ ...lost, report: interrupted })]),
      { changes: ['a 1 running > failed deleted'], retries: ['a 2 in 1'], look: [1] },
    ],
    [
      'meanwhile a cancel needs no reason of a cluster',
      viewOf([seen({ ...running, report: interrupted })], { cancel: 'cancel' }),
      {
        changes: ['a 1 running > cancelled cancelled', 'b 1 waiting > cancelled cancelled'],
        state: ['cancelled'],
      },
    ],
    [
      'what is over without a report is what the cluster says',
      viewOf([seen({ ...running, observation: { kind: 'over', ending: preempted } })]),
      { changes: ['a 1 running > failed preempted'], retries: ['a 2 in 5'], look: [5] },
    ],
    [
      'what is over was asked to end, and that is why',
      viewOf([seen({ ...running, stopReason: 'timeout', observation: { kind: 'over', ending: preempted } })]),
      {
        changes: ['a 1 running > failed timeout', 'b 1 waiting > skipped skipped'],
        state: ['failed'],
        failure: ['timeout'],
      },
    ],
    [
      'why it waits is noted once',
      viewOf([seen({ observation: { kind: 'pending', why: 'No room.' } })]),
      { changes: ['a 1 queued > queued'], look: [10] },
    ],
    [
      'and not again',
      viewOf([seen({ pendingWhy: 'No room.', observation: { kind: 'pending', why: 'No room.' } })]),
      { look: [10] },
    ],
    [
      'that something of it is there is noted once',
      viewOf([seen({ observation: { kind: 'pending', exists: true } })]),
      { changes: ['a 1 queued > queued'], look: [10] },
    ],
    [
      'and not again',
      viewOf([seen({ seenAt: at(-5), observation: { kind: 'pending', exists: true } })]),
      { look: [10] },
    ],
    [
      'what was there and is gone before it began is lost, and tried again as that',
      viewOf([seen({ seenAt: at(-5), observation: { kind: 'absent' } })]),
      { changes: ['a 1 queued > failed lost'], retries: ['a 2 in 1'], look: [1] },
    ],
    [
      'the first failure stays the reason',
      viewOf([seen({ ...running, report: report(10) })], { failure: { class: 'lost', reason: 'side' } }),
      { changes: ['a 1 running > failed exit', 'b 1 waiting > skipped skipped'], state: ['failed'] },
    ],
  ])('%s', (_, view, told) => {
    expect(tell(view)).toEqual(told);
  });

  test('what is queued is given what it asks for, or what was learned', () => {
    const given = (learned: ReadonlyMap<string, number>): readonly unknown[] =>
      stepRun(viewOf([], { states: [], learned }), now).changes.map(
        ({ task, to }) => `${task} ${showSize(to.resources?.memory.bytes ?? 0)}`,
      );
    expect(given(new Map())).toEqual(['a 2Gi', 'side 2Gi']);
    expect(given(new Map([['a', 4 * 2 ** 30]]))).toEqual(['a 4Gi', 'side 2Gi']);
  });

  test('what ran out of memory is tried again soon with twice as much, until it has all of it', () => {
    const outOfMemory = report(137, { ending: { exitCode: 137, signal: null, outOfMemory: true } });
    let resources = resolveResources(command('a').resources, resourceDefaults, null);
    const told: unknown[] = [];
    for (let number = 1; number <= 4; number += 1) {
      const { changes, retries, failure } = stepRun(
        viewOf([seen({ ...running, number, resources, report: outOfMemory })]),
        now,
      );
      told.push([changes[0]?.to.reason, retries.map(({ notBefore }) => notBefore), failure?.reason]);
      resources = retries[0]?.resources ?? resources;
    }
    const had = (size: string): string => `The command needed more than the ${size} of memory that it had`;
    const last = `${had('16Gi')}, which is its ceiling. Raise the ceiling in \`resources.memory\`, up to the AME_MEMORY_CEILING of this AME.`;
    expect(told).toEqual([
      [`${had('2Gi')}.`, [at(1)], undefined],
      [`${had('4Gi')}.`, [at(1)], undefined],
      [`${had('8Gi')}.`, [at(1)], undefined],
      [last, [], `a: ${last}`],
    ]);
  });

  test('a retry keeps the resources that it was decided with', () => {
    const resources = resolveResources(command('a').resources, resourceDefaults, 8 * 2 ** 30);
    const again = seen({ state: 'waiting', number: 2, notBefore: at(0), resources });
    const { changes } = stepRun(viewOf([again], { learned: new Map([['a', 2 ** 30]]) }), now);
    expect(changes.map(({ to }) => to.resources)).toEqual([resources]);
  });

  test('what asks for more memory than there may be ends before it starts', () => {
    const greedy = planOf([
      { ...command('a'), resources: { ...command('a').resources, memory: { start: '32Gi', ceiling: null } } },
      command('b'),
    ]);
    const step = stepRun(viewOf([], { plan: greedy, states: [] }), now);
    expect(step.changes.map(({ task, to }) => [task, to.state, to.class])).toEqual([
      ['a', 'failed', 'unschedulable'],
    ]);
    expect([step.start, step.failure?.class]).toEqual([[], 'unschedulable']);
    expect(step.failure?.reason).toContain('AME_MEMORY_CEILING');
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
