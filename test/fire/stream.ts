import type { FakeGithub } from '../fakes/github.ts';
import { redeliver } from '../fakes/github/deliver.ts';
import type { FakeRepository } from '../fakes/github/repository.ts';
import type { FakeDelivery, FakeInstallation } from '../fakes/github/world.ts';
import type { Random } from '../random.ts';

/** A push that was made on the host, and what the host has to say of it. */
export type Push = {
  readonly repository: FakeRepository;
  readonly commit: string;
  /** Whether its branch is one of those that run something. */
  readonly runs: boolean;
  /** Whether others are pushed to its branch too, so that it may be over before it is looked at. */
  readonly contends: boolean;
  readonly delivery: FakeDelivery;
  /** Whether the server said that it has it. */
  isTaken: boolean;
};

export const busyRules = ['allow', 'queue', 'cancel'] as const;

const file = (busy: (typeof busyRules)[number]): string => `projectname: chaos
on: {push: {branches: [main, "run-*"]}}
concurrency: {when_busy: ${busy}}
tasks: {main: "true"}
`;

/** Nobody listens there, so that GitHub notes what it had to say and nobody hears it. */
export const nowhere = 'http://127.0.0.1:1/';

/** One push in so many runs something; the others are decided, and told why they do not. */
const runsOneIn = 8;

export async function makeRepositories(
  github: FakeGithub,
  installation: FakeInstallation,
  count: number,
  owner = 'acme',
  busy: (typeof busyRules)[number] = 'allow',
): Promise<readonly FakeRepository[]> {
  const made: FakeRepository[] = [];
  for (let at = 0; at < count; at += 1) {
    const repository = await github.addRepository(installation, { owner, name: `chaos-${at}` });
    await repository.commit({ 'ame.yaml': file(busy) }, { branch: 'main', message: 'before' });
    made.push(repository);
  }
  return made;
}

/** Pushes a new branch, or one that others are pushed to as well, without telling anybody. */
export async function makePush(
  github: FakeGithub,
  repositories: readonly FakeRepository[],
  at: number,
  hookUrl: string,
  contends = false,
): Promise<Push> {
  const repository = repositories[at % repositories.length];
  if (!repository) throw new Error('there is no repository');
  const runs = contends || at % runsOneIn === 0;
  const branch = `${runs ? 'run' : 'quiet'}-${contends ? 'contended' : at}`;
  const pushed = await repository.commit({ 'number.txt': `${at}\n` }, { branch, message: `push ${at}` });
  github.hookUrl = nowhere;
  const delivery = await github.deliverPush(repository, pushed);
  github.hookUrl = hookUrl;
  if (!delivery) throw new Error('nothing was to be said');
  return { repository, commit: pushed.after, runs, contends, delivery, isTaken: false };
}

/** Sends one, and one in `often` of those before it once more. Answers with how many were sent. */
export async function send(
  github: FakeGithub,
  push: Push,
  earlier: readonly Push[],
  { random, often }: { readonly random: Random; readonly often: number },
): Promise<number> {
  const again = earlier.length > 0 && random.chance(often) ? [random.pick(earlier)] : [];
  for (const one of [push, ...again]) {
    const { statusCode } = await redeliver(github.world, one.delivery);
    if (statusCode === 202) one.isTaken = true;
  }
  return 1 + again.length;
}
