import { afterEach, expect, test } from 'vitest';
import type { LastWords } from '../../src/core/outcome/last-words.ts';
import { createAme, createClock, type Ame, type Clock, type Repository } from './harness.ts';
import { createScriptedExecutor, reportOf, type Scripted } from './scripted-executor.ts';

const houses: Ame[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house[Symbol.asyncDispose]();
});

type House = Scripted & {
  readonly ame: Ame;
  readonly clock: Clock;
  readonly repository: Repository;
  /** Attempts whose last words were asked for, as often as that. */
  readonly asked: readonly number[];
};

/** A run of one task whose attempt is shown as over, in a world where pods say this. */
async function house(say: (here: House, attempt: number) => Promise<LastWords | null>): Promise<House> {
  const clock = createClock();
  const scripted = createScriptedExecutor();
  const asked: number[] = [];
  const executor = {
    ...scripted.executor,
    async lastWords(attempts: readonly number[]) {
      asked.push(...attempts);
      const words = new Map<number, LastWords>();
      for (const attempt of attempts) {
        const said = await say(here, attempt);
        if (said !== null) words.set(attempt, said);
      }
      return words;
    },
  };
  const ame = await createAme({ clock, seams: { executor: () => executor } });
  houses.push(ame);
  const repository = await ame.repository();
  const here: House = { ...scripted, ame, clock, repository, asked };
  await repository.push({ 'ame.yaml': 'projectname: ends\non: push\ntasks:\n  main: train\n' });
  const order = await ame.until(async () => scripted.orders[0]);
  const ending = {
    class: 'no_shell',
    reason: 'Its image has no `sh`.',
    exitCode: null,
    signal: null,
  } as const;
  here.show(order.id, { kind: 'over', ending });
  return here;
}

function over({ ame, repository }: House): ReturnType<Ame['read']['run']> {
  return ame.until(async () => {
    const run = await ame.read.run(repository);
    return run.finishedAt === null ? undefined : run;
  });
}

test('what a pod said last stands with its attempt, in the check, in the API and on the page', async () => {
  const text = 'ame: the entry\n<b>cannot</b> go on';
  const here = await house(async () => ({
    said: [{ container: 'agent', text }],
    unread: 'it was removed before it could be read.',
  }));
  const { ame } = here;
  const run = await over(here);
  expect([run.state, run.class]).toEqual(['failed', 'no_shell']);
  expect(here.asked).toHaveLength(1);
  const { says } = await ame.read.check(run.commit, run);
  expect(says.text).toContain(`Container <code>agent</code>:\n\n\`\`\`\n${text}\n\`\`\``);
  const notice = "`main`: the pod's own log could not be read: it was removed before it could be read.";
  expect(says.lines).toContain(`notice: ${notice}`);
  const shown = await ame.api('GET', `/runs/${run.id}`);
  expect(shown.body).toMatchObject({
    attempts: [{ lastWords: [{ container: 'agent', text }], notices: [notice] }],
  });
});

test('an executor that fails at them changes nothing about the end', async () => {
  const here = await house(() => Promise.reject(new Error('no words')));
  const run = await over(here);
  expect([run.state, run.class]).toEqual(['failed', 'no_shell']);
  const shown = await here.ame.api('GET', `/runs/${run.id}`);
  expect(shown.body).toMatchObject({ attempts: [{ lastWords: [], notices: [] }] });
});

test('a report that comes while they are read counts, and they do not', async () => {
  const here = await house(async ({ ame, clock }, attempt) => {
    await ame.ctx.door.finish(attempt, reportOf(0, clock.now()));
    return { said: [{ container: 'agent', text: 'nothing of interest' }], unread: null };
  });
  const run = await over(here);
  expect(run.state).toBe('succeeded');
  const shown = await here.ame.api('GET', `/runs/${run.id}`);
  expect(shown.body).toMatchObject({ attempts: [{ state: 'succeeded', lastWords: [] }] });
});

test('nobody asks why an attempt ended that was cancelled', async () => {
  const here = await house(async () => null);
  const { ame, repository } = here;
  const run = await ame.read.run(repository);
  await ame.api('POST', `/runs/${run.id}/cancel`);
  expect((await over(here)).state).toBe('cancelled');
  expect(here.asked).toEqual([]);
});
