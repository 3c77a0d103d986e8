import {
  after,
  before,
  check,
  group,
  installation,
  none,
  other,
  pull,
  push,
  repository,
  repositoryAction,
  suite,
  type DeliveryEdit,
} from './delivery-kinds.ts';
import { appId, isObject, part, repositoryId } from './delivery-mending.ts';

const wind = {
  id: repositoryId,
  node_id: 'MDEwOlJlcG9zaXRvcnkzNTEyOTM3Nw==',
  name: 'wind-forecast',
  full_name: 'north-sea/wind-forecast',
  private: true,
};
const tides = {
  ...wind,
  id: 35_129_378,
  node_id: 'R_kgDOAhgF4g',
  name: 'tides',
  full_name: 'north-sea/tides',
};

const plain = (name: string, event: string, number: number): DeliveryEdit => ({ name, event, number });

export const deliveries: readonly DeliveryEdit[] = [
  push('branch', { ref: 'refs/heads/main', before, after }),
  push('branch-created', { ref: 'refs/heads/batches', before: none, after }),
  push('branch-created-empty', { ref: 'refs/heads/batches', before: none, after, commits: 0 }),
  push('branch-deleted', { ref: 'refs/heads/batches', before: after, after: none }),
  push('branch-forced', { ref: 'refs/heads/batches', before: other, after, forced: true }),
  push('branch-rewound', { ref: 'refs/heads/main', before: after, after: before, forced: true, commits: 0 }),
  push('branch-many-commits', { ref: 'refs/heads/main', before, after, commits: 40 }),
  push('branch-many-files', {
    ref: 'refs/heads/main',
    before,
    after,
    modified: Array.from({ length: 300 }, (_, at) => `data/part-${at}.csv`),
  }),
  push('branch-nested', { ref: 'refs/heads/team/a/b', before, after }),
  push('branch-odd-name', { ref: 'refs/heads/--upload-pack=$(id);`x`&&{{y}}', before, after }),
  push('branch-without-file', { ref: 'refs/heads/main', before, after, modified: ['README.md'] }),
  push('merge-queue', {
    ref: `refs/heads/gh-readonly-queue/main/pr-12-${before}`,
    before: none,
    after: other,
  }),
  push('message-unicode', {
    ref: 'refs/heads/main',
    before,
    after,
    message: 'Ærø og Læsø: 🌬\n\n@everyone closes #1 <b>\u202Egnp.exe',
  }),
  push('tag-created', { ref: 'refs/tags/v1', before: none, after }),
  push('tag-deleted', { ref: 'refs/tags/v1', before: after, after: none }),
  push('tag-moved', { ref: 'refs/tags/v1', before, after, forced: true }),
  pull('opened', 12),
  pull('opened-draft', 12, { draft: true }),
  pull('opened-from-fork', 13, { number: 13, fork: true }),
  pull('opened-fork-deleted', 12, {
    fork: true,
    more: (payload) => Object.assign(part(payload, 'pull_request', 'head'), { repo: null }),
  }),
  pull('synchronize', 22, { more: (payload) => Object.assign(payload, { before: other, after }) }),
  pull('synchronize-from-fork', 22, {
    number: 13,
    fork: true,
    more: (payload) => Object.assign(payload, { before: other, after }),
  }),
  pull('reopened', 18),
  pull('ready-for-review', 16),
  pull('converted-to-draft', 6, { draft: true }),
  pull('edited-base', 12, {
    more: (payload) =>
      Object.assign(payload, {
        action: 'edited',
        changes: { base: { ref: { from: 'stable' }, sha: { from: other } } },
      }),
  }),
  pull('edited-title', 12, {
    more: (payload) => Object.assign(payload, { action: 'edited', changes: { title: { from: 'Batches' } } }),
  }),
  pull('closed', 3),
  pull('closed-merged', 4, {
    more: (payload) =>
      Object.assign(part(payload, 'pull_request'), {
        merged: true,
        merged_at: '2026-05-01T14:00:00Z',
        merge_commit_sha: other,
      }),
  }),
  pull('labeled', 8),
  group('checks-requested', 'checks_requested'),
  group('destroyed-merged', 'destroyed', { reason: 'merged' }),
  group('destroyed-invalidated', 'destroyed', { reason: 'invalidated' }),
  group('destroyed-dequeued', 'destroyed', { reason: 'dequeued' }),
  installation('created', 1, (payload) => Object.assign(payload, { repositories: [wind, tides] })),
  installation('created-all', 2, (payload) => {
    Object.assign(payload, { repositories: [wind] });
    part(payload, 'installation')['repository_selection'] = 'all';
  }),
  installation('deleted', 3),
  installation('suspend', 5),
  installation('unsuspend', 6),
  installation('new-permissions-accepted', 4),
  {
    name: 'installation-target-renamed',
    event: 'installation_target',
    from: 'organization',
    number: 4,
    edit: (payload) => {
      const account = {
        ...part(payload, 'organization'),
        type: 'Organization',
        html_url: 'https://github.com/north-sea',
      };
      for (const key of Object.keys(payload))
        if (!['organization', 'sender', 'installation'].includes(key)) delete payload[key];
      Object.assign(payload, {
        action: 'renamed',
        account,
        target_type: 'Organization',
        changes: { login: { from: 'old-north-sea' } },
      });
    },
  },
  {
    name: 'installation-repositories-added',
    event: 'installation_repositories',
    number: 1,
    edit: (payload) => Object.assign(payload, { repositories_added: [tides], repositories_removed: [] }),
  },
  {
    name: 'installation-repositories-added-all',
    event: 'installation_repositories',
    number: 1,
    edit: (payload) => {
      Object.assign(payload, {
        repository_selection: 'all',
        repositories_added: [wind, tides],
        repositories_removed: [],
      });
      part(payload, 'installation')['repository_selection'] = 'all';
    },
  },
  {
    name: 'installation-repositories-removed',
    event: 'installation_repositories',
    number: 2,
    edit: (payload) => Object.assign(payload, { repositories_added: [], repositories_removed: [wind] }),
  },
  repository('created', 2),
  repository('renamed', 9, (payload) => {
    payload['changes'] = { repository: { name: { from: 'forecast' } } };
  }),
  repository('transferred', 11),
  repository('privatized', 5),
  repository('publicized', 7),
  repository('edited-default-branch', 3, (payload) => {
    payload['changes'] = { default_branch: { from: 'master' } };
    part(payload, 'repository')['default_branch'] = 'main';
  }),
  repository('edited-topics', 4),
  repositoryAction('archived', { archived: true }),
  repositoryAction('unarchived', { archived: false }),
  repositoryAction('deleted'),
  check('created', 0),
  check('completed', 1),
  check('rerequested', 6, (_run, payload) => {
    payload['action'] = 'rerequested';
    delete payload['requested_action'];
  }),
  check('rerequested-by-fork-author', 6, (_run, payload) => {
    payload['action'] = 'rerequested';
    delete payload['requested_action'];
    Object.assign(part(payload, 'sender'), { login: 'mallory', id: 66_123 });
  }),
  check('rerequested-other-app', 6, (run, payload) => {
    payload['action'] = 'rerequested';
    delete payload['requested_action'];
    part(run, 'app')['id'] = 15_368;
  }),
  check('requested-action', 6, (_run, payload) => {
    payload['requested_action'] = { identifier: 'cancel' };
  }),
  suite('requested', 4),
  suite('rerequested', 7),
  suite('completed', 0),
  {
    name: 'ping-app',
    event: 'ping',
    number: 0,
    edit: (payload) => {
      const hook = part(payload, 'hook');
      Object.assign(hook, { type: 'App', app_id: appId, events: ['push', 'pull_request', 'check_run'] });
      for (const key of ['repository', 'organization', 'sender', 'installation']) delete payload[key];
      if (isObject(hook['config'])) hook['config']['url'] = 'https://ame.example.com/webhooks/github';
    },
  },
  plain('github-app-authorization-revoked', 'github_app_authorization', 0),
  plain('create-tag', 'create', 3),
  plain('delete-tag', 'delete', 2),
  plain('fork', 'fork', 2),
  plain('issues-opened', 'issues', 17),
  plain('issue-comment-created', 'issue_comment', 3),
  plain('label-created', 'label', 3),
  plain('member-added', 'member', 2),
  plain('organization-renamed', 'organization', 4),
  plain('public', 'public', 2),
  plain('star-created', 'star', 1),
  plain('status', 'status', 3),
  plain('watch-started', 'watch', 2),
  plain('workflow-run-completed', 'workflow_run', 1),
];
