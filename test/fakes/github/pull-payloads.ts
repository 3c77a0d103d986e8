import { about } from './payloads.ts';
import { pullShape } from './pull-shapes.ts';
import type { FakeAccount, FakePull, World } from './world.ts';

export type PullChange =
  | {
      readonly action: 'opened' | 'reopened' | 'closed' | 'ready_for_review' | 'converted_to_draft';
    }
  | { readonly action: 'synchronize'; readonly before: string }
  | {
      readonly action: 'edited';
      readonly base?: { readonly ref: string; readonly sha: string };
      readonly title?: string;
    };

/** A pull request as GitHub tells it; call it after the change. */
export async function pullRequestPayload(
  world: World,
  pull: FakePull,
  change: PullChange,
  sender: FakeAccount,
): Promise<object> {
  const shape = await pullShape(world, pull);
  return {
    action: change.action,
    number: pull.number,
    ...(change.action === 'synchronize' ? { before: change.before, after: pull.headSha } : {}),
    ...(change.action === 'edited'
      ? {
          changes: {
            ...(change.base
              ? { base: { ref: { from: change.base.ref }, sha: { from: change.base.sha } } }
              : {}),
            ...(change.title === undefined ? {} : { title: { from: change.title } }),
          },
        }
      : {}),
    pull_request: shape,
    ...about(world, pull.base, sender),
  };
}
