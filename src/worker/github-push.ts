import type { Project } from '../core/project.ts';
import { busyRule, decidePush, type PushFacts } from '../core/trigger.ts';
import { isZeroId } from '../git/object-id.ts';
import { changedPaths } from '../github/changed-paths.ts';
import type { FileCommit } from '../github/commit-objects.ts';
import type { Github, GithubRepository } from '../github/connection.ts';
import { readPush } from '../github/push.ts';
import type { Head } from './head.ts';

export type PushedRef = { readonly ref: string; readonly before: string; readonly after: string };

/** A pushed head as GitHub knows it at this moment: one request, and one more where the file names `paths`. */
export async function gatherGithubPush(
  github: Github,
  repository: GithubRepository,
  push: PushedRef,
): Promise<Head> {
  const read = await readPush(github, repository, push);
  const kind = push.ref.startsWith('refs/tags/') ? 'tag' : 'branch';
  const name = push.ref.replace(/^refs\/(heads|tags)\//, '');
  const isDefaultBranch = kind === 'branch' && name === read.defaultBranch?.name;
  // A new branch is compared with the default branch, if there is one.
  const base = kind === 'branch' && !isDefaultBranch ? read.defaultBranch : null;
  const from = read.before ?? base;
  const commit = read.after?.commit ?? null;
  const facts: PushFacts = {
    kind,
    name,
    created: isZeroId(push.before),
    deleted: isZeroId(push.after),
    unmoved: push.before === push.after,
    fileBefore: from?.fileId ?? null,
    fileAfter: read.after?.file?.id ?? null,
    changedPaths: null,
    defaultBranch: read.defaultBranch?.name ?? null,
    isDefaultBranch,
  };
  return {
    ...fileOf(read.after),
    trigger: 'push',
    ref: push.ref,
    outdated: commit !== null && read.now?.commit !== commit,
    isDefaultBranch,
    seen: isDefaultBranch ? push.ref : null,
    fromFork: false,
    decide: async (project) => {
      const paths =
        commit !== null && from !== null && namesPaths(project, facts)
          ? await changedPaths(github, repository, { from: from.commit, to: commit })
          : null;
      return decidePush(project, { ...facts, changedPaths: paths });
    },
    whenBusy: (project) => busyRule(project, 'push'),
  };
}

/** Only then are the paths worth a request. */
function namesPaths(project: Project | null, facts: PushFacts): boolean {
  return facts.kind === 'branch' && (project?.on?.push?.paths ?? null) !== null;
}

/** What the commit at a head has, the way it is asked of any host. */
export function fileOf(found: FileCommit | null): Pick<Head, 'commit' | 'file' | 'misnamed' | 'absent'> {
  const { submodules = [], lfs = [] } = found?.named ?? {};
  const named = 10;
  return {
    commit: found?.commit ?? null,
    file: found?.file ?? null,
    misnamed: found?.misnamed ?? false,
    absent:
      found === null || found.file === null
        ? null
        : {
            // Which of the files are pointers shows only in the files themselves.
            lfs: { count: 0, paths: [] },
            lfsPatterns: { count: lfs.length, paths: lfs.slice(0, named) },
            submodules: { count: submodules.length, paths: submodules.slice(0, named) },
          },
  };
}
