import { fullName } from './ask.ts';
import type { FakeRepository } from './repository.ts';
import type { FakeAccount, FakeInstallation, World } from './world.ts';

/** A time as GitHub writes it, without fractions of a second. */
export function timeShape(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

export function nodeId(kind: string, ...parts: readonly (string | number)[]): string {
  return `${kind}_${Buffer.from(parts.join(':')).toString('base64url')}`;
}

export function accountShape(world: World, account: FakeAccount): object {
  const { login } = account;
  const url = `${world.url}/users/${login}`;
  return {
    login,
    id: account.id,
    node_id: nodeId(account.type === 'User' ? 'U' : 'O', account.id),
    avatar_url: `${world.webUrl}/avatars/${account.id}`,
    gravatar_id: '',
    url,
    html_url: `${world.webUrl}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    site_admin: false,
  };
}

/** Fits the `repository` and the `full-repository` of the description. */
export function repositoryShape(world: World, repository: FakeRepository): object {
  const full = fullName(repository);
  const url = `${world.url}/repos/${full}`;
  const html = `${world.webUrl}/${full}`;
  const created = timeShape(repository.createdAt);
  const open = repository.pulls.filter((pull) => pull.state === 'open').length;
  const forks = world.repositories.filter(({ parent, deleted }) => parent === repository && !deleted).length;
  return {
    id: repository.id,
    node_id: nodeId('R', repository.id),
    name: repository.name,
    full_name: full,
    private: repository.visibility !== 'public',
    visibility: repository.visibility,
    owner: accountShape(world, repository.owner),
    html_url: html,
    description: null,
    fork: repository.parent !== null,
    url,
    archive_url: `${url}/{archive_format}{/ref}`,
    assignees_url: `${url}/assignees{/user}`,
    blobs_url: `${url}/git/blobs{/sha}`,
    branches_url: `${url}/branches{/branch}`,
    collaborators_url: `${url}/collaborators{/collaborator}`,
    comments_url: `${url}/comments{/number}`,
    commits_url: `${url}/commits{/sha}`,
    compare_url: `${url}/compare/{base}...{head}`,
    contents_url: `${url}/contents/{+path}`,
    contributors_url: `${url}/contributors`,
    deployments_url: `${url}/deployments`,
    downloads_url: `${url}/downloads`,
    events_url: `${url}/events`,
    forks_url: `${url}/forks`,
    git_commits_url: `${url}/git/commits{/sha}`,
    git_refs_url: `${url}/git/refs{/sha}`,
    git_tags_url: `${url}/git/tags{/sha}`,
    hooks_url: `${url}/hooks`,
    issue_comment_url: `${url}/issues/comments{/number}`,
    issue_events_url: `${url}/issues/events{/number}`,
    issues_url: `${url}/issues{/number}`,
    keys_url: `${url}/keys{/key_id}`,
    labels_url: `${url}/labels{/name}`,
    languages_url: `${url}/languages`,
    merges_url: `${url}/merges`,
    milestones_url: `${url}/milestones{/number}`,
    notifications_url: `${url}/notifications{?since,all,participating}`,
    pulls_url: `${url}/pulls{/number}`,
    releases_url: `${url}/releases{/id}`,
    stargazers_url: `${url}/stargazers`,
    statuses_url: `${url}/statuses/{sha}`,
    subscribers_url: `${url}/subscribers`,
    subscription_url: `${url}/subscription`,
    tags_url: `${url}/tags`,
    teams_url: `${url}/teams`,
    trees_url: `${url}/git/trees{/sha}`,
    clone_url: `${html}.git`,
    git_url: `git://${new URL(world.webUrl).host}/${full}.git`,
    ssh_url: `ssh://git@${new URL(world.webUrl).hostname}/${full}.git`,
    svn_url: html,
    homepage: null,
    language: null,
    license: null,
    mirror_url: null,
    forks,
    forks_count: forks,
    stargazers_count: 0,
    watchers_count: 0,
    watchers: 0,
    size: 1,
    default_branch: repository.defaultBranch,
    open_issues: open,
    open_issues_count: open,
    is_template: false,
    topics: [],
    has_issues: true,
    has_projects: true,
    has_wiki: false,
    has_pages: false,
    has_downloads: true,
    has_discussions: false,
    archived: repository.archived,
    disabled: repository.disabled,
    allow_forking: true,
    web_commit_signoff_required: false,
    pushed_at: created,
    created_at: created,
    updated_at: created,
    network_count: forks,
    subscribers_count: 0,
  };
}

export function appShape(world: World): object {
  const { app } = world;
  return {
    id: Number(app.id),
    slug: app.slug,
    client_id: app.clientId,
    node_id: nodeId('A', app.id),
    owner: accountShape(world, app.owner),
    name: app.name,
    description: null,
    external_url: 'http://127.0.0.1/',
    html_url: `${world.webUrl}/apps/${app.slug}`,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    permissions: app.permissions,
    events: app.events,
  };
}

export function installationShape(world: World, installation: FakeInstallation): object {
  const { account, suspendedAt } = installation;
  return {
    id: installation.id,
    account: accountShape(world, account),
    repository_selection: installation.repositorySelection,
    access_tokens_url: `${world.url}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${world.url}/installation/repositories`,
    html_url: `${world.webUrl}/organizations/${account.login}/settings/installations/${installation.id}`,
    app_id: Number(world.app.id),
    app_slug: world.app.slug,
    client_id: world.app.clientId,
    target_id: account.id,
    target_type: account.type,
    permissions: installation.permissions,
    events: installation.events,
    created_at: timeShape(installation.createdAt),
    updated_at: timeShape(installation.createdAt),
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: suspendedAt === null ? null : accountShape(world, account),
    suspended_at: suspendedAt === null ? null : timeShape(suspendedAt),
  };
}
