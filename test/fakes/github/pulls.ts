import { gitText } from './git.ts';
import { readRef, type FakeRepository } from './repository.ts';
import type { FakePull } from './world.ts';

/**
 * Makes the heads of open pull requests what their branches are now, also after a plain git push, and shows them
 * as refs/pull/<n>/head. GitHub shares the objects of a fork with its base; here they are fetched.
 */
export async function followPulls(repository: FakeRepository): Promise<void> {
  for (const pull of repository.pulls) await followPull(pull);
}

// One after the other: two fetches into one ref at a time refuse each other.
const followed = new WeakMap<FakeRepository, Promise<void>>();

export async function followPull(pull: FakePull): Promise<void> {
  const before = followed.get(pull.base) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(() => follow(pull));
  followed.set(pull.base, mine);
  await mine;
}

async function follow(pull: FakePull): Promise<void> {
  if (pull.state !== 'open') return;
  const { directory } = pull.base;
  pull.baseSha = (await readRef(directory, `refs/heads/${pull.baseRef}`)) ?? pull.baseSha;
  if (pull.head.deleted) return;
  const head = await readRef(pull.head.directory, `refs/heads/${pull.headRef}`);
  const name = `refs/pull/${pull.number}/head`;
  if (head === null || head === (await readRef(directory, name))) return;
  await gitText(directory, [
    'fetch',
    '--quiet',
    '--no-tags',
    pull.head.directory,
    `+refs/heads/${pull.headRef}:${name}`,
  ]);
  pull.headSha = head;
}
