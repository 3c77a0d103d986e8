import { afterEach, describe, expect, test } from 'vitest';
import { createAme, createClock, type Ame, type AmeOptions, type Clock, type Repository } from './harness.ts';
import { createPipes } from './pipes.ts';
import { text } from './text.ts';

const houses: Ame[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house[Symbol.asyncDispose]();
});

async function house(options: AmeOptions = {}): Promise<{ ame: Ame; clock: Clock; repository: Repository }> {
  const clock = createClock();
  const ame = await createAme({ clock, ...options });
  houses.push(ame);
  return { ame, clock, repository: await ame.repository() };
}

/** A file whose `main` is this. */
const fileOf = (main: string): { 'ame.yaml': string } => ({
  'ame.yaml': `projectname: ends\non: push\ntasks:\n${text`${main}`.replaceAll(/^/gm, '  ')}\n`,
});

describe('retries', () => {
  test('as many as allowed, of the causes that are named, after pauses that grow', async () => {
    const { ame, clock, repository } = await house();
    await repository.push({
      'ame.yaml': text`
        projectname: tries
        on: push
        tasks:
          main:
            pipeline:
              flaky: {runcommand: exit $((30 + AME_ATTEMPT)), retries: {max: 5, on: ["exit:31-32"], backoff: 30s}}
              clean_up: {if: failure, runcommand: echo cleaned}
      `,
    });
    const seen: string[][] = [];
    for (const pause of [0, 29, 2, 58, 2, 3_600]) {
      clock.advance(pause);
      await ame.settle();
      const rows = await ame.read.attempts(await ame.read.run(repository));
      seen.push(rows.map((row) => `${row.task} ${row.number} ${row.state} ${row.exitCode ?? ''}`.trim()));
    }
    const [first, second, third] = ['flaky 1 failed 31', 'flaky 2 failed 32', 'flaky 3 failed 33'].map(
      String,
    );
    expect(seen).toEqual([
      [first, 'flaky 2 waiting', 'clean_up 1 waiting'],
      [first, 'flaky 2 waiting', 'clean_up 1 waiting'],
      [first, second, 'flaky 3 waiting', 'clean_up 1 waiting'],
      [first, second, 'flaky 3 waiting', 'clean_up 1 waiting'],
      [first, second, third, 'clean_up 1 succeeded 0'],
      [first, second, third, 'clean_up 1 succeeded 0'],
    ]);
    const run = await ame.read.run(repository);
    expect(run).toMatchObject({ state: 'failed', class: 'exit', reason: expect.stringContaining('flaky') });
    expect((await ame.read.check(run.commit, run)).says.title).toMatch(/flaky/);
  });

  test('one that succeeds later leaves a green run', async () => {
    const { ame, clock, repository } = await house();
    await repository.push(fileOf('main: {runcommand: test $AME_ATTEMPT = 2, retries: 1}'));
    await ame.settle();
    clock.advance(11);
    await ame.settle();
    const run = await ame.read.run(repository);
    expect([run.state, run.class, run.reason]).toEqual(['succeeded', 'succeeded', null]);
  });
});

describe('limits of time', () => {
  test.each([
    ['of running', 'main: {timeout: 1m, runcommand: echo up > $UP; cat}', 'timeout'],
    ['of a pipeline', 'main: {timeout: 1m, pipeline: {a: "true", b: "echo up > $UP; cat"}}', 'deadline'],
  ])('%s', async (_, main, name) => {
    await using pipes = await createPipes();
    const { ame, clock, repository } = await house();
    const up = await pipes.listen();
    const hold = await pipes.hold();
    await repository.push(fileOf(main.replace('$UP', up.path).replace('cat', `read _ < ${hold.path}`)));
    await ame.during(up.heard);
    await ame.until(async () =>
      (await ame.read.attempts(await ame.read.run(repository))).at(-1)?.startedAt ? true : undefined,
    );
    clock.advance(30);
    await ame.step();
    expect((await ame.read.run(repository)).state).toBe('running');
    clock.advance(31);
    await ame.settle();
    const run = await ame.read.run(repository);
    expect(run).toMatchObject({ state: 'failed', class: name });
    expect((await ame.read.check(run.commit, run)).says.conclusion).toBe('timed_out');
  });

  test('of waiting for a place', async () => {
    await using pipes = await createPipes();
    const { ame, clock, repository } = await house({ env: { AME_LOCAL_SLOTS: '1' } });
    const hold = await pipes.hold();
    await repository.push(fileOf(`main: read _ < ${hold.path}`));
    await ame.until(async () => ((await ame.read.run(repository)).state === 'running' ? true : undefined));
    await repository.push(fileOf('main: {timeout: {queue: 1m}, runcommand: echo never}'));
    await ame.until(async () =>
      (await ame.read.attempts(await ame.read.run(repository)))[0]?.state === 'queued' ? true : undefined,
    );
    clock.advance(61);
    const late = await ame.until(async () => {
      const run = await ame.read.run(repository);
      return run.finishedAt === null ? undefined : run;
    });
    expect(late).toMatchObject({ state: 'failed', class: 'queue_timeout' });
    expect((await ame.read.attempts(late))[0]).toMatchObject({ startedAt: null, exitCode: null });
    hold.release();
    await ame.settle();
    expect((await ame.read.runs(repository)).map((run) => run.state)).toEqual(['succeeded', 'failed']);
  });
});

test('a retry takes over what succeeded, with its logs and artifacts, and runs the rest', async () => {
  const { ame, repository } = await house();
  await repository.push({
    'ame.yaml': text`
      projectname: again
      on: push
      tasks:
        main:
          pipeline:
            make: [echo made, echo 1 > made.txt]
            flaky: {secrets: [TOKEN], runcommand: cat made.txt}
            after: echo after > after.txt
            side: {needs: [make], runcommand: test $AME_RUN = 2}
    `,
  });
  await ame.settle();
  const run = await ame.read.run(repository);
  expect(await ame.read.states(run)).toEqual([
    'make succeeded',
    'flaky failed secret_missing',
    'after skipped',
    'side failed exit',
  ]);
  await ame.api('PUT', '/projects/again/secrets/TOKEN', { value: 'a-token' });
  const first = await ame.api('POST', `/runs/${run.id}/retry`);
  const same = await ame.api('POST', `/runs/${run.id}/retry`);
  expect([first.status, same.status]).toEqual([201, 200]);
  await ame.settle();
  const retried = await ame.read.run(repository);
  expect(retried).toMatchObject({
    state: 'succeeded',
    number: 2,
    retryOf: run.id,
    planDigest: run.planDigest,
    commit: run.commit,
  });
  const make = await ame.read.attempt(retried, 'make');
  expect(make).toMatchObject({ state: 'succeeded', reusedFrom: (await ame.read.attempt(run, 'make')).id });
  expect(await ame.read.log(retried, 'make')).toBe('made\n');
  const listed = await ame.api('GET', `/runs/${retried.id}/artifacts`);
  expect(listed.body).toMatchObject({
    artifacts: [
      { path: 'made.txt', task: 'make' },
      { path: 'after.txt', task: 'after' },
    ],
  });
  const { says } = await ame.read.check(run.commit, retried);
  expect(says.text).toContain('made&#46;txt');
  const third = await ame.api('POST', `/runs/${retried.id}/retry`);
  expect(third.status).toBe(409);
});

test('a retry has all of its own time, whenever it is asked for', async () => {
  const { ame, clock, repository } = await house();
  await repository.push(
    fileOf(
      'main: {timeout: 1h, pipeline: {first: "true", inner: {timeout: {run: 30m, queue: 10m}, pipeline: {then: "true", last: test $AME_RUN = 2}}}}',
    ),
  );
  await ame.settle();
  const run = await ame.read.run(repository);
  expect(run.state).toBe('failed');
  clock.advance(86_400);
  await ame.api('POST', `/runs/${run.id}/retry`);
  await ame.settle();
  const retried = await ame.read.run(repository);
  expect([retried.state, retried.reason]).toEqual(['succeeded', null]);
});
