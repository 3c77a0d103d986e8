import type { BusyRule, Project } from '../project.ts';
import { busyRule, concurrencyGroup, decidePush } from '../trigger.ts';

/** Where a run that was decided stands among others: what makes it one and the same, and who gives way to whom. */
export type Placement = {
  /** One cause makes one run. */
  readonly causeKey: string;
  readonly concurrencyGroup: string;
  readonly whenBusy: BusyRule;
  /** Why it is born superseded; `null` where it is not. */
  readonly superseded: string | null;
  /** Which unfinished runs of its group give way to it when it is made. */
  readonly supersedes: 'all' | 'waiting' | null;
};

export type PlacedHead = {
  readonly commit: string;
  /** Full. */
  readonly ref: string;
  /** The ref has moved on since. */
  readonly outdated: boolean;
  readonly whenBusy: BusyRule;
};

/** Says nothing of the order in which heads are heard of: whatever that is, the same runs stand at the end. */
export function placeRun(project: Project, task: string, head: PlacedHead): Placement {
  const { commit, ref, outdated, whenBusy } = head;
  // One that comes late still gets its run, so that it is told why nothing of it was run.
  const late = outdated && whenBusy !== 'allow';
  return {
    causeKey: `commit:${commit}:${ref}:${task}`,
    concurrencyGroup: concurrencyGroup(project, task, ref),
    whenBusy,
    superseded: late ? `${ref} had moved on before this push was looked at.` : null,
    supersedes: late || whenBusy === 'allow' ? null : whenBusy === 'cancel' ? 'all' : 'waiting',
  };
}

/**
 * What a run of a pull request does about others of its group. One commit reached both ways runs once, under the push's
 * rules, whichever is heard of first. `branch` is that of its head, `fileId` the file there.
 */
export function pullRequestBusyRule(
  project: Project,
  head: { readonly fromFork: boolean; readonly branch: string; readonly fileId: string | null },
): BusyRule {
  const { fromFork, branch: name, fileId } = head;
  if (fromFork) return busyRule(project, 'pull_request');
  // A push to a branch of which no more is known than that it has the file.
  const pushed = decidePush(project, {
    kind: 'branch',
    name,
    created: false,
    deleted: false,
    fileBefore: fileId,
    fileAfter: fileId,
    changedPaths: null,
    defaultBranch: null,
    isDefaultBranch: false,
  });
  return busyRule(project, pushed.outcome === 'run' ? 'push' : 'pull_request');
}
