/** Permissions of an App that AME knows of, by GitHub's own names. */
export type PermissionName = 'metadata' | 'contents' | 'checks' | 'pull_requests' | 'merge_queues';
export type PermissionLevel = 'read' | 'write';
/** What a token may do. `metadata: read` comes with every token. */
export type Permissions = Readonly<Partial<Record<PermissionName, PermissionLevel>>>;

export type PermissionNeed = {
  readonly permission: PermissionName;
  readonly level: PermissionLevel;
  readonly why: string;
  /** Calls of ours that GitHub answers for this permission. */
  readonly routes: readonly string[];
};

export type EventNeed = {
  readonly event: string;
  readonly why: string;
  /** Without it GitHub does not let an App subscribe. */
  readonly permission: PermissionName;
};

/**
 * All that AME asks of whoever installs it, and why: manifest, documentation and `ame github check` are made from
 * here, and a test compares the calls in this room with it.
 * https://docs.github.com/rest/authentication/permissions-required-for-github-apps
 */
export const permissionNeeds: readonly PermissionNeed[] = [
  {
    permission: 'metadata',
    level: 'read',
    why: 'Comes with every App: which repositories there are, and whether who pressed a button may write',
    routes: [
      'GET /installation/repositories',
      'GET /repos/{owner}/{repo}',
      'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
    ],
  },
  {
    permission: 'contents',
    level: 'read',
    why: 'Reads ame.yaml, where branches point, which paths a push changed, and fetches the commit that a run works on',
    routes: [
      'GET /repos/{owner}/{repo}/compare/{basehead}',
      'GET /repos/{owner}/{repo}/git/blobs/{file_sha}',
      'GET /repos/{owner}/{repo}/git/ref/{ref}',
      'GET /repos/{owner}/{repo}/git/trees/{tree_sha}',
      'POST /graphql',
    ],
  },
  {
    permission: 'checks',
    level: 'write',
    why: 'Answers on the commit: one check for the file, one for each run; also hears Re-run and Cancel',
    routes: [
      'GET /repos/{owner}/{repo}/check-runs/{check_run_id}',
      'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
      'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
      'POST /repos/{owner}/{repo}/check-runs',
    ],
  },
  {
    permission: 'pull_requests',
    level: 'read',
    why: 'Reads head, base and state of a pull request as they are now, and finds those that no event told of',
    routes: ['GET /repos/{owner}/{repo}/pulls'],
  },
  {
    permission: 'merge_queues',
    level: 'read',
    why: 'GitHub tells of merge groups only to Apps that have it; nothing is read with it',
    routes: [],
  },
];

/** Calls of the App itself: they need its key and no permission. */
export const appRoutes: readonly string[] = [
  'GET /app',
  'GET /app/hook/config',
  'GET /app/hook/deliveries',
  'GET /app/installations',
  'GET /app/installations/{installation_id}',
  'POST /app-manifests/{code}/conversions',
  'POST /app/hook/deliveries/{delivery_id}/attempts',
  'POST /app/installations/{installation_id}/access_tokens',
];

/** `installation`, `installation_repositories` and `ping` come to every App and cannot be asked for. */
export const eventNeeds: readonly EventNeed[] = [
  { event: 'push', permission: 'contents', why: 'A branch or a tag has moved: its head wants its answer' },
  {
    event: 'pull_request',
    permission: 'pull_requests',
    why: 'A pull request was opened, pushed to, reopened, made ready for review, or its base was changed',
  },
  { event: 'merge_group', permission: 'merge_queues', why: 'A merge queue waits for the checks of a commit' },
  { event: 'check_run', permission: 'checks', why: 'Somebody pressed Re-run or Cancel on a check' },
  { event: 'check_suite', permission: 'checks', why: 'Somebody pressed Re-run all checks' },
  {
    event: 'repository',
    permission: 'metadata',
    why: 'A repository was renamed, transferred, archived, made public or private, or deleted',
  },
];

/** The whole table as GitHub writes permissions. */
export function neededPermissions(): Readonly<Record<string, PermissionLevel>> {
  return Object.fromEntries(permissionNeeds.map(({ permission, level }) => [permission, level]));
}

/** Which needs are not met by what is granted, by GitHub's names and levels; `write` and `admin` include `read`. */
export function missingPermissions(
  granted: Readonly<Record<string, string | undefined>>,
): readonly PermissionNeed[] {
  return permissionNeeds.filter(({ permission, level }) => {
    const has = granted[permission];
    return level === 'read' ? has === undefined : has !== 'write' && has !== 'admin';
  });
}

/** Which events are not subscribed. */
export function missingEvents(events: readonly string[]): readonly EventNeed[] {
  return eventNeeds.filter(({ event }) => !events.includes(event));
}
