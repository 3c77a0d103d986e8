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
