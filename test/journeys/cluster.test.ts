import { afterEach, describe, expect, test } from 'vitest';
import { createAttemptDoor } from '../../src/attempt/door.ts';
import type { AttemptOrder, AttemptReport } from '../../src/core/attempt.ts';
import { outcomes } from '../../src/core/outcome/classes.ts';
import { listLearnedMemory } from '../../src/db/learned-memory.ts';
import { ExecutorAwayError } from '../../src/executor/executor.ts';
import { createHealth } from '../../src/server/health.ts';
import { createAme, createClock, type Ame, type Clock, type Repository } from './harness.ts';
import { createScriptedExecutor, reportOf, type Scripted } from './scripted-executor.ts';

const gibibyte = 2 ** 30;
const houses: Ame[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house[Symbol.asyncDispose]();
});

type House = Scripted & {
  readonly ame: Ame;
  readonly clock: Clock;
  readonly repository: Repository;
  /** The order that is the newest of so many. */
  order(count: number): Promise<AttemptOrder>;
  finish(order: AttemptOrder, exitCode: number, given?: Partial<AttemptReport>): Promise<void>;
  push(main: string): Promise<unknown>;
};

const fileOf = (main: string): string => `projectname: ends\non: push\ntasks:\n  main: ${main}\n`;

/** AME with a cluster of which a test says what is to be seen. */
async function house(): Promise<House> {
  const clock = createClock();
  const scripted = createScriptedExecutor();
  const ame = await createAme({ clock, seams: { executor: () => scripted.executor } });
  houses.push(ame);
  const repository = await ame.repository();
  let pushes = 0;
  return {
    ...scripted,
    ame,
    clock,
    repository,
    order: (count) => ame.until(async () => scripted.orders[count - 1]),
    finish: (order, exitCode, given) =>
      ame.ctx.door.finish(order.id, reportOf(exitCode, clock.now(), { output: null, ...given })),
    push: (main) => repository.push({ 'ame.yaml': fileOf(main), 'count.txt': String((pushes += 1)) }),
  };
}

const outOfMemory = {
  ending: { exitCode: 137, signal: null, outOfMemory: true },
  peakMemoryBytes: 2 * gibibyte,
};

/** Steps until the newest run of the repository is over. */
function over({ ame, repository }: House): ReturnType<Ame['read']['run']> {
  return ame.until(async () => {
    const run = await ame.read.run(repository);
    return run.finishedAt === null ? undefined : run;
  });
}

describe('memory', () => {
  test('runs out, is raised, is remembered, and is forgotten when the file says another start', async () => {
    const here = await house();
    const { ame, clock } = here;
    await here.push('train');
    const first = await here.order(1);
    expect(first.asked.memory).toEqual({ bytes: 2 * gibibyte, ceilingBytes: 16 * gibibyte });
    await here.finish(first, 137, outOfMemory);
    await ame.step();
    clock.advance(2);
    const second = await here.order(2);
    expect(second.asked.memory).toMatchObject({ bytes: 4 * gibibyte, over: 2 * gibibyte });
    await here.finish(second, 0, { peakMemoryBytes: 3 * gibibyte, cpuSeconds: 0.5 });
    const run = await over(here);
    expect(run.state).toBe('succeeded');
    const { says } = await ame.read.check(run.commit, run);
    expect(says.lines.join('\n')).toContain('needed more than 2Gi and ran with 4Gi');
    const shown = await ame.api('GET', `/runs/${run.id}`);
    expect(shown.body).toMatchObject({
      attempts: [
        { class: 'out_of_memory', resources: { memoryBytes: 2 * gibibyte, memoryFrom: 'asked' } },
        {
          class: 'succeeded',
          peakMemoryBytes: 3 * gibibyte,
          cpuSeconds: 0.5,
          resources: { memoryBytes: 4 * gibibyte, memoryFrom: 'raised', cpuMillis: 1_000 },
        },
      ],
    });
    expect(await listLearnedMemory(ame.ctx.db, run.project.id)).toMatchObject([
      { task: 'main', bytes: 4 * gibibyte, asked: '', attemptId: second.id },
    ]);

    await here.push('train');
    const third = await here.order(3);
    expect(third.asked.memory).toEqual({ bytes: 4 * gibibyte, ceilingBytes: 16 * gibibyte, learned: true });
    await here.finish(third, 0);
    const next = await over(here);
    const told = (await ame.read.check(next.commit, next)).says.lines;
    expect(told.filter((line) => line.startsWith('notice: '))).toEqual([
      expect.stringMatching(/`main` starts with 4Gi, .*`memory: 4Gi..16Gi`/),
    ]);

    await here.push('{runcommand: train, resources: {memory: 1Gi..3Gi}}');
    const fourth = await here.order(4);
    expect(fourth.asked.memory).toEqual({ bytes: gibibyte, ceilingBytes: 3 * gibibyte });
  });

  test('a failure with more memory teaches nothing', async () => {
    const here = await house();
    await here.push('train');
    await here.finish(await here.order(1), 137, outOfMemory);
    await here.ame.step();
    here.clock.advance(2);
    await here.finish(await here.order(2), 1);
    const run = await over(here);
    expect([run.state, run.class]).toEqual(['failed', 'exit']);
    expect(await listLearnedMemory(here.ame.ctx.db, run.project.id)).toEqual([]);
  });

  test('more than the administrator gives is refused before anything starts', async () => {
    const here = await house();
    await here.push('{runcommand: train, resources: {memory: 17Gi}}');
    const run = await over(here);
    expect([run.state, run.class, here.orders]).toEqual(['failed', 'unschedulable', []]);
    expect(run.reason).toContain('AME_MEMORY_CEILING');
  });
});

describe('what the cluster says', () => {
  const preempted = { class: 'preempted', reason: 'It made room.', exitCode: null, signal: null } as const;

  test('explains a report of what was taken away, and costs no retries', async () => {
    const here = await house();
    const { ame, clock } = here;
    await here.push('train');
    for (let count = 1; count <= 5; count += 1) {
      const order = await here.order(count);
      const begun = { kind: 'running', startedAt: clock.now() } as const;
      here.show(order.id, begun);
      await here.finish(order, 143, { interrupted: 'taken' });
      await ame.step();
      // Nobody has said why yet.
      expect((await ame.read.attempts(await ame.read.run(here.repository))).at(-1)?.state).toBe('running');
      here.show(order.id, { ...begun, taken: preempted });
      await ame.until(
        async () =>
          (await ame.read.attempts(await ame.read.run(here.repository))).some(
            ({ id, class: name }) => id === order.id && name === 'preempted',
          ) || undefined,
      );
      clock.advance(301);
    }
    await here.finish(await here.order(6), 0);
    expect((await over(here)).state).toBe('succeeded');
  });

  test('is read once more where a report came between two looks', async () => {
    const here = await house();
    await here.push('train');
    const order = await here.order(1);
    here.during(() => here.finish(order, 0));
    here.show(order.id, { kind: 'over', ending: preempted });
    const run = await over(here);
    expect([run.state, run.class]).toEqual(['succeeded', 'succeeded']);
  });

  test('is told while a task waits', async () => {
    const here = await house();
    const { ame } = here;
    await here.push('train');
    const order = await here.order(1);
    here.show(order.id, { kind: 'pending', why: 'No node has 4 GPUs.' });
    await ame.until(async () => {
      const [attempt] = await ame.read.attempts(await ame.read.run(here.repository));
      return attempt?.pendingWhy ?? undefined;
    });
    const run = await ame.read.run(here.repository);
    const waits = async (): Promise<true | undefined> =>
      (await ame.read.check(run.commit, run)).says.lines.join('\n').includes('No node has 4 GPUs.') ||
      undefined;
    here.clock.advance(60);
    await ame.sweep();
    expect(await ame.until(waits)).toBe(true);
    expect((await ame.api('GET', `/runs/${run.id}`)).body).toMatchObject({
      attempts: [{ state: 'queued', pendingWhy: 'No node has 4 GPUs.' }],
    });
  });
});

test('a cluster that does not answer is said where people look, and not any more once it does', async () => {
  const clock = createClock();
  const scripted = createScriptedExecutor();
  const since = clock.now();
  let isAway = true;
  const answer = async <T>(asked: () => Promise<T>): Promise<T> => {
    if (isAway) throw new ExecutorAwayError('the API server did not answer');
    return asked();
  };
  const executor = {
    ...scripted.executor,
    start: (order: AttemptOrder) => answer(() => scripted.executor.start(order)),
    observe: (rows: Parameters<typeof scripted.executor.observe>[0]) =>
      answer(() => scripted.executor.observe(rows)),
    awaySince: () => (isAway ? since : null),
  };
  const ame = await createAme({ clock, seams: { executor: () => executor } });
  houses.push(ame);
  const repository = await ame.repository();
  await repository.push({ 'ame.yaml': fileOf('train') });
  const waits = async (): Promise<string | undefined> => {
    const [attempt] = await ame.read.attempts(await ame.read.run(repository));
    return attempt?.pendingWhy ?? undefined;
  };
  expect(await ame.until(waits)).toContain('asked again: the API server did not answer');
  const ready = async (): Promise<unknown> => (await createHealth(ame.ctx).request('/readyz')).json();
  expect(await ready()).toMatchObject({ ok: true, executor: { awaySince: since.toISOString() } });
  isAway = false;
  await ame.until(async () => {
    clock.advance(20);
    return (await waits()) === undefined ? true : undefined;
  });
  expect(scripted.orders).toHaveLength(1);
  expect(await ready()).not.toHaveProperty('executor');
});

test('what goes again and again before its command begins is counted, and given up', async () => {
  const here = await house();
  await here.push('train');
  const tries = 4;
  for (let number = 1; number <= tries; number += 1) {
    const order = await here.ame.until(async () => {
      here.clock.advance(20);
      return here.orders[number - 1];
    });
    here.show(order.id, { kind: 'pending', why: 'Its image is fetched.', exists: true });
    await here.ame.until(async () => {
      const attempt = (await here.ame.read.attempts(await here.ame.read.run(here.repository))).at(-1);
      return attempt?.pendingWhy ?? undefined;
    });
    here.show(order.id, { kind: 'absent' });
  }
  const run = await over(here);
  expect([run.state, run.class]).toEqual(['failed', 'lost']);
  expect(run.reason).toContain('gone before it began');
  expect(here.orders).toHaveLength(tries);
});

test('a commit that several tasks ask for at once is read once', async () => {
  const here = await house();
  const beside = '{needs: [], runcommand: train}';
  await here.push(`{pipeline: {a: train, b: ${beside}, c: ${beside}}}`);
  await here.order(3);
  const { ctx } = here.ame;
  let reads = 0;
  const door = createAttemptDoor({
    ...ctx,
    commitDirectory(repository) {
      reads += 1;
      return Promise.resolve(ctx.directoryOf(repository));
    },
  });
  const inputs = await Promise.all(here.orders.map(({ id }) => door.input(id)));
  expect(new Set(inputs.map(({ root }) => root)).size).toBe(1);
  expect(reads).toBe(1);
});

test('what is over is taken away, and once more when its run is over', async () => {
  const here = await house();
  await here.push('{pipeline: {first: prepare, second: train}}');
  const first = await here.order(1);
  const input = await here.ame.ctx.door.input(first.id);
  await here.finish(first, 0, { output: input.root, outputBytes: { all: 12_345, changed: 0 } });
  const second = await here.order(2);
  // Of a commit that nobody had read yet nothing was known; by now it is the size of the files that were pushed.
  expect(first.inheritedBytes).toBe(gibibyte);
  expect(second.inheritedBytes).toBe(
    Buffer.byteLength(fileOf('{pipeline: {first: prepare, second: train}}')) + 1,
  );
  expect(here.stopped).toEqual([first.id]);
  await here.finish(second, 1);
  const run = await over(here);
  expect(run.class).toBe('exit');
  expect(here.stopped).toEqual([first.id, second.id]);
  here.clock.advance(61);
  await here.ame.step();
  expect(here.stopped).toEqual([first.id, second.id, first.id, second.id]);
  expect(outcomes[run.class ?? 'lost'].retry).toBe('user');
});
