import { z } from 'zod';

/**
 * What AME takes of each payload, and nothing else: GitHub adds keys at any time, and addresses in a payload are
 * never called. Ids become decimal text. JSON numbers beyond 2^53 have lost digits when they are read here, so
 * such an id is refused rather than taken for another one.
 */
const id = z.int().positive().transform(String);
const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'not an object id');
/** What a row can hold: Postgres refuses NUL, and half of a character changes on its way there. */
const text = z
  .string()
  .max(10_000)
  .refine((said) => said.isWellFormed() && !said.includes('\0'), 'not a text that can be stored');
// Git's own rules (git-check-ref-format) forbid these characters, and GitHub ends names long before the index of a table does.
const refCharacters = text.max(1_000).regex(/^[^\u0000-\u0020\u007f~^:?*[\\]+$/u, 'not the name of a ref');
const fullRef = refCharacters.regex(/^refs\/./su, 'not a full ref');
/** What a column of whole numbers can hold. */
const count = z
  .int()
  .positive()
  .max(2 ** 31 - 1);
// What GitHub lets people choose; names are put into addresses of its API.
const fullName = z.string().regex(/^[\w.-]+\/(?!\.{1,2}$)[\w.-]+$/, 'not owner/name');

const account = z
  .object({ id, login: text.optional(), slug: text.optional(), type: text.optional() })
  // An enterprise has a slug and no login.
  .transform(({ id, login, slug, type }) => ({ id, login: login ?? slug ?? '', type: type ?? 'Enterprise' }));

const sender = account.nullish().transform((found) => found ?? null);

const repository = z
  .object({
    id,
    full_name: fullName,
    private: z.boolean(),
    archived: z.boolean().optional(),
    default_branch: text.optional(),
  })
  .transform((found) => {
    const [owner = '', name = ''] = found.full_name.split('/');
    return {
      hostId: found.id,
      owner,
      name,
      isPrivate: found.private,
      archived: found.archived ?? null,
      defaultBranch: found.default_branch ?? null,
    };
  });

/** What every event of a repository carries; without an installation it came from a plain webhook, not from the App. */
const ofRepository = z.object({ installation: z.object({ id }), repository, sender });

function place({ installation, repository, sender }: z.output<typeof ofRepository>) {
  return { installationId: installation.id, repository, sender };
}

const repositories = z.array(z.object({ id, full_name: fullName, private: z.boolean() })).transform((list) =>
  list.map((one) => {
    const [owner = '', name = ''] = one.full_name.split('/');
    return { hostId: one.id, owner, name, isPrivate: one.private };
  }),
);

const selection = z.enum(['all', 'selected']);
const installation = z
  .object({
    id,
    account,
    permissions: z.record(text, text),
    events: z.array(text),
    repository_selection: selection,
    suspended_at: text.nullish(),
  })
  .transform((found) => ({
    id: found.id,
    account: found.account,
    permissions: found.permissions,
    events: found.events,
    repositorySelection: found.repository_selection,
    isSuspended: (found.suspended_at ?? null) !== null,
  }));

const change = z.object({ from: text }).optional();
const headOrBase = z.object({ sha, ref: refCharacters, repo: z.object({ id }).nullable() });
const ownApp = z.object({ id }).nullish();

/** By event: its payload, turned into what `GithubEvent` says of it beside kind and action. */
export const shapes = {
  push: ofRepository
    .extend({
      ref: fullRef,
      before: sha,
      after: sha,
      forced: z.boolean(),
      pusher: z.object({ name: text.optional() }).nullish(),
    })
    .transform((said) => {
      const { ref, before, after, forced, pusher } = said;
      return { ...place(said), ref, before, after, forced, pusher: pusher?.name ?? null };
    }),
  pull_request: ofRepository
    .extend({
      number: count,
      pull_request: z.object({
        head: headOrBase,
        base: headOrBase,
        state: z.enum(['open', 'closed']),
        draft: z.boolean().optional(),
        merged: z.boolean().nullish(),
      }),
      before: sha.optional(),
      after: sha.optional(),
      changes: z.object({ base: z.object({}).optional() }).optional(),
    })
    .transform((said) => {
      const { head, base, state, draft, merged } = said.pull_request;
      return {
        ...place(said),
        number: said.number,
        headSha: head.sha,
        headRef: head.ref,
        headRepositoryId: head.repo?.id ?? null,
        fromFork: head.repo?.id !== said.repository.hostId,
        baseRef: base.ref,
        baseSha: base.sha,
        state,
        draft: draft ?? false,
        merged: merged ?? false,
        baseChanged: said.changes?.base !== undefined,
        before: said.before ?? null,
        after: said.after ?? null,
      };
    }),
  merge_group: ofRepository
    .extend({
      merge_group: z.object({ head_sha: sha, head_ref: fullRef, base_sha: sha, base_ref: fullRef }),
      reason: text.optional(),
    })
    .transform((said) => ({
      ...place(said),
      headSha: said.merge_group.head_sha,
      headRef: said.merge_group.head_ref,
      baseSha: said.merge_group.base_sha,
      baseRef: said.merge_group.base_ref,
      reason: said.reason ?? null,
    })),
  installation: z
    .object({ installation, repositories: repositories.optional(), sender })
    .transform((said) => ({ ...said, repositories: said.repositories ?? [] })),
  installation_repositories: z
    .object({
      installation,
      repository_selection: selection,
      repositories_added: repositories,
      repositories_removed: repositories,
      sender,
    })
    .transform((said) => ({
      installation: said.installation,
      repositorySelection: said.repository_selection,
      added: said.repositories_added,
      removed: said.repositories_removed,
      sender: said.sender,
    })),
  installation_target: z
    .object({ installation: z.object({ id }), account })
    .transform((said) => ({ installationId: said.installation.id, account: said.account })),
  repository: ofRepository
    .extend({
      changes: z
        .object({
          repository: z.object({ name: change }).optional(),
          default_branch: change,
          owner: z
            .object({ from: z.object({ user: account.nullish(), organization: account.nullish() }) })
            .optional(),
        })
        .optional(),
    })
    .transform((said) => ({
      ...place(said),
      oldName: said.changes?.repository?.name?.from ?? null,
      oldOwner: said.changes?.owner?.from.organization ?? said.changes?.owner?.from.user ?? null,
      oldDefaultBranch: said.changes?.default_branch?.from ?? null,
    })),
  check_run: ofRepository
    .extend({
      check_run: z.object({ id, head_sha: sha, external_id: text.nullish(), app: ownApp }),
      requested_action: z.object({ identifier: text.optional() }).nullish(),
    })
    .transform((said) => ({
      ...place(said),
      checkRunId: said.check_run.id,
      headSha: said.check_run.head_sha,
      externalId: said.check_run.external_id ?? null,
      appId: said.check_run.app?.id ?? null,
      identifier: said.requested_action?.identifier ?? null,
    })),
  check_suite: ofRepository
    .extend({ check_suite: z.object({ head_sha: sha, app: ownApp }) })
    .transform((said) => ({
      ...place(said),
      headSha: said.check_suite.head_sha,
      appId: said.check_suite.app?.id ?? null,
    })),
  ping: z
    .object({ hook_id: id, hook: z.object({ app_id: id.optional() }).optional() })
    .transform((said) => ({ hookId: said.hook_id, appId: said.hook?.app_id ?? null })),
} as const;

export type ShapeName = keyof typeof shapes;

/** The actions that mean something here; every other one is news that nobody needs. */
export const actions = {
  pull_request: [
    'opened',
    'synchronize',
    'reopened',
    'ready_for_review',
    'converted_to_draft',
    'edited',
    'closed',
  ],
  merge_group: ['checks_requested', 'destroyed'],
  installation: ['created', 'deleted', 'suspend', 'unsuspend', 'new_permissions_accepted'],
  installation_repositories: ['added', 'removed'],
  installation_target: ['renamed'],
  repository: [
    'renamed',
    'transferred',
    'archived',
    'unarchived',
    'privatized',
    'publicized',
    'deleted',
    'created',
    'edited',
  ],
  check_run: ['rerequested', 'requested_action'],
  check_suite: ['rerequested'],
} as const;
