import type { Artifact } from '../attempt.ts';
import { decideFilter } from '../glob.ts';
import { isLeftOut } from '../ignore-list.ts';
import type { Digest, ReadTree } from '../snapshot.ts';
import { diffTrees } from './diff.ts';
import { pathText } from './path-text.ts';

/** Which of the new and changed files a person gets back. */
export type ArtifactRule = {
  /** Of the task; `null`: every file that `ignores` and AME's own list leave. */
  readonly globs: readonly string[] | null;
  /** Of the workspace's ignore file; has no say where there are globs. */
  readonly ignores: (path: string) => boolean;
};

/**
 * The files that a task added or changed and that its rule lets through, in the order of their paths. What a task
 * inherits is never its artifact, and neither are links and directories.
 */
export async function artifactsOf(
  readTree: ReadTree,
  input: Digest,
  output: Digest,
  rule: ArtifactRule,
): Promise<readonly Artifact[]> {
  const artifacts: Artifact[] = [];
  for await (const { path, after } of diffTrees(readTree, input, output)) {
    if (after?.type !== 'file') continue;
    const text = pathText(path);
    if (!isArtifact(rule, text)) continue;
    artifacts.push({ path: text, digest: after.digest, size: after.size, mode: after.mode });
  }
  return artifacts;
}

function isArtifact({ globs, ignores }: ArtifactRule, path: string): boolean {
  // No glob at all means no artifact, while a filter without globs lets everything pass.
  if (globs !== null) return globs.length > 0 && decideFilter(globs, path).matched;
  return !path.split('/').some(isLeftOut) && !ignores(path);
}
