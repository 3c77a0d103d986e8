import type { Description } from './description.ts';
import type { FakeRepository } from './repository.ts';

export type Level = 'read' | 'write' | 'admin';
export type Permissions = Readonly<Record<string, Level>>;

export type FakeAccount = { readonly id: number; login: string; readonly type: 'User' | 'Organization' };

export type FakeApp = {
  id: string;
  clientId: string;
  slug: string;
  name: string;
  owner: FakeAccount;
  /** PEM, PKCS#1 as GitHub gives it. */
  privateKey: string;
  webhookSecret: string;
  permissions: Permissions;
  events: readonly string[];
};

export type FakeInstallation = {
  readonly id: number;
  readonly account: FakeAccount;
  repositorySelection: 'all' | 'selected';
  /** Ids; asked only where the selection is `selected`. */
  readonly selected: Set<number>;
  permissions: Permissions;
  events: readonly string[];
  suspendedAt: Date | null;
  removed: boolean;
  readonly createdAt: Date;
};

export type FakeToken = {
  readonly value: string;
  readonly installation: FakeInstallation;
  readonly expiresAt: Date;
  readonly permissions: Permissions;
  /** `null`: all that the installation sees. */
  readonly repositories: ReadonlySet<number> | null;
};

export type FakePull = {
  readonly id: number;
  readonly number: number;
  readonly base: FakeRepository;
  readonly head: FakeRepository;
  readonly headRef: string;
  readonly author: FakeAccount;
  readonly createdAt: Date;
  title: string;
  baseRef: string;
  /** Of the base branch when it was last looked at. */
  baseSha: string;
  headSha: string;
  state: 'open' | 'closed';
  draft: boolean;
  merged: boolean;
  mergeCommitSha: string | null;
  updatedAt: Date;
  closedAt: Date | null;
};

export type FakeAnnotation = {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly start_column?: number;
  readonly end_column?: number;
  readonly annotation_level: 'notice' | 'warning' | 'failure';
  readonly message: string;
  readonly title?: string;
  readonly raw_details?: string;
};

export type FakeCheckAction = {
  readonly label: string;
  readonly description: string;
  readonly identifier: string;
};

export type FakeCheckRun = {
  readonly id: number;
  readonly suiteId: number;
  /** Of the App that made it, which alone may change it. */
  readonly appId: string;
  readonly repository: FakeRepository;
  readonly headSha: string;
  name: string;
  externalId: string;
  detailsUrl: string | null;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: string | null;
  startedAt: string | null;
  completedAt: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  readonly annotations: FakeAnnotation[];
  actions: readonly FakeCheckAction[];
};

/** A line of GitHub's list of the App's deliveries, with what was sent. */
export type FakeDelivery = {
  readonly id: number;
  readonly guid: string;
  readonly deliveredAt: Date;
  readonly redelivery: boolean;
  readonly event: string;
  readonly action: string | null;
  readonly installationId: number | null;
  readonly repositoryId: number | null;
  /** The very bytes, so that a redelivery repeats them. */
  readonly body: string;
  status: string;
  statusCode: number;
};

export type FakeRequest = {
  readonly method: string;
  /** With the query, without the prefix of GitHub Enterprise Server. */
  readonly path: string;
  /** Of GitHub's description; `graphql`, `git/info-refs`, `git/upload-pack` apart; `null`: unknown there. */
  operationId: string | null;
  /** Whose token asked; `null` for the App itself and for nobody. */
  installation: number | null;
  status: number;
  notModified: boolean;
  readonly tokenExchange: boolean;
  body: unknown;
};

export type Match = string | ((request: FakeRequest) => boolean);

export type Fault = {
  readonly match: Match;
  times: number;
  readonly does:
    | {
        readonly kind: 'fail';
        readonly status: number;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: unknown;
      }
    | { readonly kind: 'wait'; readonly until: Promise<unknown> }
    | { readonly kind: 'lose' };
};

export type Bucket = { remaining: number; resetAt: Date };

/** Calls that an installation has left, and whether GitHub holds it back for its haste. */
export type Limits = {
  readonly core: Bucket;
  readonly graphql: Bucket;
  secondary: {
    readonly status: number;
    readonly retryAfter: number | null;
    readonly until: Date | null;
  } | null;
  /** Sent with an answer that is over the limit, where it was set by hand. */
  retryAfter: number | null;
};

/** What a manifest says that the fake takes over. */
export type Manifest = {
  readonly name?: string;
  readonly url: string;
  readonly hook_attributes?: { readonly url: string; readonly active?: boolean };
  readonly redirect_url?: string;
  readonly default_permissions?: Readonly<Record<string, string>>;
  readonly default_events?: readonly string[];
};

export type Confirmed = {
  readonly manifest: Manifest;
  readonly owner: FakeAccount;
  readonly confirmedAt: Date;
};

export type Drop = 'failed' | 'answered' | 'unrecorded';

export type World = {
  readonly now: () => Date;
  readonly description: Description;
  readonly directory: string;
  readonly enterprise: boolean;
  /** Entries after which a recursive tree is truncated. */
  readonly treeLimit: number;
  /** GitHub's ETags may change with the token; conditional requests then cost again after an hour. */
  readonly etagPerToken: boolean;
  /** Also sends what GitHub sends of itself: suites asked for with each push, and the App's own check runs. */
  readonly noise: boolean;
  url: string;
  webUrl: string;
  hookUrl: string | null;
  hookContentType: string;
  readonly app: FakeApp;
  readonly accounts: Map<string, FakeAccount>;
  readonly installations: FakeInstallation[];
  readonly repositories: FakeRepository[];
  readonly tokens: Map<string, FakeToken>;
  readonly deliveries: FakeDelivery[];
  readonly drops: Drop[];
  readonly manifests: Map<string, Confirmed>;
  readonly requests: FakeRequest[];
  readonly violations: string[];
  readonly faults: Fault[];
  readonly limits: Map<number, Limits>;
  readonly nextId: () => number;
};

/** The account of that name; made, as an organisation unless said otherwise, where nobody has it. */
export function accountOf(
  world: World,
  login: string,
  type: FakeAccount['type'] = 'Organization',
): FakeAccount {
  const known = world.accounts.get(login.toLowerCase());
  if (known) return known;
  const account: FakeAccount = { id: world.nextId(), login, type };
  world.accounts.set(login.toLowerCase(), account);
  return account;
}

/** Whether the installation was given the repository. */
export function isGranted(installation: FakeInstallation, repository: FakeRepository): boolean {
  if (installation.removed || repository.deleted || repository.owner.id !== installation.account.id)
    return false;
  return installation.repositorySelection === 'all' || installation.selected.has(repository.id);
}

export function grantedRepositories(world: World, installation: FakeInstallation): readonly FakeRepository[] {
  return world.repositories.filter((repository) => isGranted(installation, repository));
}

/** The installation that sees the repository, where there is one. */
export function installationOf(world: World, repository: FakeRepository): FakeInstallation | null {
  return world.installations.find((installation) => isGranted(installation, repository)) ?? null;
}
