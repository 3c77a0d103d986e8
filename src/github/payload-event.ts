import type { actions } from './payload-shapes.ts';

/** Ids are GitHub's numbers as decimal text; they identify, and names only address. */
export type PayloadAccount = { readonly id: string; readonly login: string; readonly type: string };

export type PayloadRepository = {
  readonly hostId: string;
  readonly owner: string;
  readonly name: string;
  readonly isPrivate: boolean;
  /** `null`: this payload does not say. */
  readonly archived: boolean | null;
  readonly defaultBranch: string | null;
};

export type PayloadRepositoryName = Pick<PayloadRepository, 'hostId' | 'owner' | 'name' | 'isPrivate'>;

export type PayloadInstallation = {
  readonly id: string;
  readonly account: PayloadAccount;
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  readonly repositorySelection: 'all' | 'selected';
  readonly isSuspended: boolean;
};

export type ActionOf<Event extends keyof typeof actions> = (typeof actions)[Event][number];

type InRepository = {
  readonly installationId: string;
  readonly repository: PayloadRepository;
  readonly sender: PayloadAccount | null;
};

export type GithubEvent =
  | (InRepository & {
      readonly kind: 'push';
      /** Full, such as `refs/heads/main`. */
      readonly ref: string;
      /** All zeros: the ref was not there before, or is gone afterwards. Of an annotated tag: the tag's own id. */
      readonly before: string;
      readonly after: string;
      readonly forced: boolean;
      readonly pusher: string | null;
    })
  | (InRepository & {
      readonly kind: 'pull_request';
      readonly action: ActionOf<'pull_request'>;
      readonly number: number;
      readonly headSha: string;
      /** Without `refs/heads/`, like `baseRef`. */
      readonly headRef: string;
      /** `null`: the fork is gone. */
      readonly headRepositoryId: string | null;
      readonly fromFork: boolean;
      readonly baseRef: string;
      /** When GitHub made this payload; the branch may have moved since. */
      readonly baseSha: string;
      readonly state: 'open' | 'closed';
      readonly draft: boolean;
      readonly merged: boolean;
      /** Of `edited`: it goes to another branch now. */
      readonly baseChanged: boolean;
      /** Of `synchronize`: the heads; otherwise `null`. */
      readonly before: string | null;
      readonly after: string | null;
    })
  | (InRepository & {
      readonly kind: 'merge_group';
      readonly action: ActionOf<'merge_group'>;
      readonly headSha: string;
      /** Full refs both. */
      readonly headRef: string;
      readonly baseSha: string;
      readonly baseRef: string;
      /** Of `destroyed`: `merged`, `invalidated`, `dequeued`. */
      readonly reason: string | null;
    })
  | {
      readonly kind: 'installation';
      readonly action: ActionOf<'installation'>;
      readonly installation: PayloadInstallation;
      /** Empty where GitHub does not list them; with many of them it does not. */
      readonly repositories: readonly PayloadRepositoryName[];
      readonly sender: PayloadAccount | null;
    }
  | {
      readonly kind: 'installation_repositories';
      readonly action: ActionOf<'installation_repositories'>;
      readonly installation: PayloadInstallation;
      readonly repositorySelection: 'all' | 'selected';
      readonly added: readonly PayloadRepositoryName[];
      readonly removed: readonly PayloadRepositoryName[];
      readonly sender: PayloadAccount | null;
    }
  /** The account was renamed, and with it every repository of it. */
  | {
      readonly kind: 'installation_target';
      readonly action: ActionOf<'installation_target'>;
      readonly installationId: string;
      readonly account: PayloadAccount;
    }
  | (InRepository & {
      readonly kind: 'repository';
      readonly action: ActionOf<'repository'>;
      readonly oldName: string | null;
      readonly oldOwner: PayloadAccount | null;
      readonly oldDefaultBranch: string | null;
    })
  | (InRepository & {
      readonly kind: 'check_run';
      readonly action: ActionOf<'check_run'>;
      readonly checkRunId: string;
      readonly headSha: string;
      readonly externalId: string | null;
      /** Which App's check it is: others' are none of ours. */
      readonly appId: string | null;
      /** Of `requested_action`: which button. */
      readonly identifier: string | null;
    })
  | (InRepository & {
      readonly kind: 'check_suite';
      readonly action: ActionOf<'check_suite'>;
      readonly headSha: string;
      readonly appId: string | null;
    })
  | { readonly kind: 'ping'; readonly hookId: string; readonly appId: string | null }
  /** Nothing that concerns AME: an event or an action that it does nothing about. */
  | { readonly kind: 'other'; readonly action: string | null };

export type Unreadable = { readonly kind: 'unreadable'; readonly reason: string };
