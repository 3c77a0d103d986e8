import type { AbsentContent } from '../git/absent-content.ts';
import type { Decision } from '../core/trigger/decision.ts';
import type { Problem } from '../core/problems.ts';
import type { BusyRule, Project } from '../core/project.ts';
import type { FileAt } from '../git/repository.ts';

/** The file that a project is. */
export const fileName = 'ame.yaml';
/** A name that people also try; it is not read. */
export const misnamed = 'ame.yml';

/** One head that is to be answered, pushed or of a pull request, with everything that the answer needs. */
export type Head = {
  readonly trigger: 'push' | 'pull_request';
  /** Full name of the ref that its runs are of: of a pull request the branch that it comes from. */
  readonly ref: string;
  /** `null` where the ref is gone or leads to no commit. */
  readonly commit: string | null;
  readonly file: FileAt | null;
  /**
   * What the file says, where another delivery of this commit has read it. `file` is null then: that delivery has told
   * the commit of its file, and nothing is to be added.
   */
  readonly answered?: { readonly project: Project | null; readonly problems: readonly Problem[] };
  readonly misnamed: boolean;
  /** The ref has moved on since. */
  readonly outdated: boolean;
  /** What the commit names but does not hold; `null` where there is no file to say it on, or nobody looked. */
  readonly absent: (AbsentContent & { readonly lfsPatterns?: AbsentContent['lfs'] }) | null;
  readonly isDefaultBranch: boolean;
  /** Under which ref the sweep of GitHub looks for it; `null` where it does not. */
  readonly seen: string | null;
  /** Somebody else's repository: what its file says of the project is not kept, and nothing of it runs by itself. */
  readonly fromFork: boolean;
  /** What runs, given what the file says, or the rule that said no. May ask the host for the paths that changed. */
  decide(project: Project | null): Promise<Decision>;
  /** What a run of it does about others of its group. */
  whenBusy(project: Project): BusyRule;
};

/** What a head was answered, of whatever told us of it; what people asked for is told by the runs alone. */
export function isOfHead({ trigger }: { readonly trigger: string }): boolean {
  return trigger === 'push' || trigger === 'pull_request';
}
