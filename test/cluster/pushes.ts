import { expect } from 'vitest';
import type { Attempt } from '../../src/db/attempts.ts';
import type { PlacedRun } from '../../src/db/runs.ts';
import type { Files } from '../journeys/pusher.ts';
import { text } from '../journeys/text.ts';
import type { ClusterAme } from './ame-on-cluster.ts';

export type Repository = Awaited<ReturnType<ClusterAme['repository']>>;
export type Named = { readonly owner: string; readonly name: string };

/** Pushes to a repository of its own a file whose tasks are these. */
export async function pushTasks(ame: ClusterAme, tasks: string, files: Files = {}): Promise<Repository> {
  const repository = await ame.repository();
  const file = `projectname: ends\non: push\ntasks:\n${text`${tasks}`.replaceAll(/^/gm, '  ')}\n`;
  const pushed = await repository.push({ 'ame.yaml': file, ...files });
  // On a busy machine the decision comes after the answer.
  expect(pushed.code, pushed.text).toBe(0);
  expect(pushed.text).not.toMatch(/Nothing runs|: error/);
  return repository;
}

/** A repository's newest run, once there is one. */
export function runOf(ame: ClusterAme, of: Named): Promise<PlacedRun> {
  return ame.watch(async () => (await ame.read.runs(of)).at(-1));
}

/** Waits for an attempt of a task, the last one, to be as `look` wants it. */
export function attemptOnce(
  ame: ClusterAme,
  of: Named,
  look: (attempt: Attempt) => boolean,
  task = 'main',
): Promise<Attempt> {
  return ame.watch(async () => {
    const run = (await ame.read.runs(of)).at(-1);
    const last = run && (await ame.read.attempts(run)).findLast((row) => row.task === task);
    return last && look(last) ? last : undefined;
  });
}

export function running(ame: ClusterAme, of: Named, task = 'main'): Promise<Attempt> {
  return attemptOnce(ame, of, ({ state }) => state === 'running', task);
}

/** Cancels a repository's newest run and waits for its end. */
export async function cancelRun(ame: ClusterAme, of: Named): Promise<PlacedRun> {
  const run = await runOf(ame, of);
  expect((await ame.api('POST', `/runs/${run.id}/cancel`)).status).toBe(202);
  return ame.ended(of);
}

/** The first try of a task, once it has ended and is to be tried again; the run is cancelled then. */
export async function firstOfSeveral(ame: ClusterAme, of: Named, task = 'main'): Promise<Attempt> {
  const second = await attemptOnce(ame, of, ({ number }) => number === 2, task);
  const first = (await ame.read.attempts({ id: second.runId })).find((row) => row.task === task);
  await cancelRun(ame, of);
  expect(first).toMatchObject({ number: 1, state: 'failed' });
  return first ?? second;
}

/** What became of each attempt of a run, in order. */
export async function tries(ame: ClusterAme, run: { readonly id: number }): Promise<readonly string[]> {
  return (await ame.read.attempts(run)).map((row) => `${row.number} ${row.class}`);
}

/** A command that holds its first try until somebody ends it, and is quick the next time. */
export const heldOnce = 'if [ $AME_ATTEMPT = 1 ]; then echo up; sleep 1000; fi; echo again';
