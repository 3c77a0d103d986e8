import { afterEach, describe, expect, test } from 'vitest';
import type { AttemptDoor } from '../../src/core/attempt.ts';
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

async function cancel(ame: Ame, run: { readonly id: number }): Promise<number> {
  return (await ame.api('POST', `/runs/${run.id}/cancel`)).status;
}

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
    await repository.push(fileOf(main.replace('$UP', up.path).replace('cat', `cat ${hold.path}`)));
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
    await repository.push(fileOf(`main: cat ${hold.path}`));
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

describe('a cancel', () => {
  test('before anything was started', async () => {
    const { ame, repository } = await house();
    await repository.push(fileOf('main: echo never'));
    const run = await ame.read.run(repository);
    expect(await cancel(ame, run)).toBe(202);
    await ame.settle();
    expect(await ame.read.run(repository)).toMatchObject({
      state: 'cancelled',
      class: 'cancelled',
      reason: 'Cancelled by a person.',
    });
    expect(await ame.read.attempts(run)).toMatchObject([
      { state: 'cancelled', queuedAt: null, startedAt: null },
    ]);
    expect((await ame.read.check(run.commit, run)).says).toMatchObject({ conclusion: 'cancelled' });
    expect(await cancel(ame, run)).toBe(409);
  });

  test.each(['input', 'missingBlobs', 'finish'] as const)(
    'while the attempt is held up at `%s`',
    async (phase) => {
      const reached = Promise.withResolvers<void>();
      const hold = Promise.withResolvers<void>();
      const door = (own: AttemptDoor): AttemptDoor => {
        const held = async <T>(call: () => Promise<T>): Promise<T> => {
          reached.resolve();
          await hold.promise;
          return call();
        };
        return {
          ...own,
          ...(phase === 'input' && { input: (id) => held(() => own.input(id)) }),
          ...(phase === 'missingBlobs' && {
            missingBlobs: (id, digests) => held(() => own.missingBlobs(id, digests)),
          }),
          ...(phase === 'finish' && { finish: (id, report) => held(() => own.finish(id, report)) }),
        };
      };
      const { ame, repository } = await house({ seams: { door } });
      await repository.push(
        fileOf('main: {pipeline: {first: echo out > file, then: {if: always, runcommand: echo never}}}'),
      );
      await ame.during(reached.promise);
      const run = await ame.read.run(repository);
      expect(await cancel(ame, run)).toBe(202);
      await ame.step();
      hold.resolve();
      await ame.settle();
      expect(await ame.read.run(repository)).toMatchObject({ state: 'cancelled', class: 'cancelled' });
      expect(await ame.read.states(run)).toEqual(['first cancelled', 'then cancelled']);
    },
  );

  test('while the command runs: TERM, its last words are kept, and nothing of `if: always` follows', async () => {
    await using pipes = await createPipes();
    const { ame, repository } = await house();
    const up = await pipes.listen();
    await repository.push({
      'ame.yaml': text`
        projectname: stops
        on: push
        tasks:
          main:
            pipeline:
              first:
                - trap 'echo goodbye; echo kept > half; exit 0' TERM
                - sleep 1000 & echo up > ${up.path}
                - wait
              then: {if: always, runcommand: echo never}
      `,
    });
    await ame.during(up.heard);
    const run = await ame.read.run(repository);
    expect(await cancel(ame, run)).toBe(202);
    await ame.settle();
    expect(await ame.read.states(run)).toEqual(['first cancelled', 'then cancelled']);
    // It ended with 0, as it was asked to, and that is no success.
    expect(await ame.read.attempt(run, 'first')).toMatchObject({
      class: 'cancelled',
      exitCode: 0,
      stopReason: 'cancel',
    });
    expect(await ame.read.log(run, 'first')).toBe('goodbye\n');
    expect((await ame.read.artifacts(run, 'first')).map(({ path }) => path)).toEqual(['half']);
  });

  test('of a command that does not listen: KILL after the grace, to its grandchildren too', async () => {
    await using pipes = await createPipes();
    const { ame, repository } = await house({ env: { AME_GRACE: '0' } });
    const up = await pipes.listen();
    await repository.push({
      'ame.yaml': 'projectname: deaf\non: push\ntasks:\n  main: python3 deaf.py\n',
      'deaf.py': text`
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pipe = os.open("${up.path}", os.O_WRONLY)
        os.set_inheritable(pipe, True)
        if os.fork() == 0: os.setsid()
        else: os.write(pipe, b"up")
        time.sleep(1000)
      `,
    });
    await ame.during(up.first);
    expect(await cancel(ame, await ame.read.run(repository))).toBe(202);
    await ame.settle();
    // The pipe has ended: nobody holds it any more.
    expect(await up.heard).toBe('up');
    expect(await ame.read.run(repository)).toMatchObject({ state: 'cancelled' });
  });

  test('in the pause before a further try', async () => {
    const { ame, repository, clock } = await house();
    await repository.push(fileOf('main: {runcommand: exit 1, retries: 3}'));
    await ame.settle();
    const run = await ame.read.run(repository);
    expect(await cancel(ame, run)).toBe(202);
    await ame.settle();
    clock.advance(3_600);
    await ame.settle();
    expect((await ame.read.attempts(run)).map((row) => row.state)).toEqual(['failed', 'cancelled']);
    expect((await ame.read.run(repository)).finishedAt).not.toBeNull();
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
