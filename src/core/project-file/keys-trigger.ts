import { key, keyTable } from './key-table.ts';
import type { Schema } from './key-table.ts';
import { choice, defined, forkRules, oneOrMore, table } from './shapes.ts';

const noFilter: Schema = { type: 'null' };
const refFilter: Schema = { anyOf: [noFilter, oneOrMore(defined('refGlob'), 1)] };
const pathFilter: Schema = { anyOf: [noFilter, oneOrMore(defined('glob'), 1)] };
const runList: Schema = { anyOf: [noFilter, oneOrMore(defined('name'), 1)] };

export const onKeys = keyTable({
  what: '`on`',
  path: 'on',
  synonyms: { pull_request_target: 'pull_request', merge_request: 'pull_request' },
  hints: {
    schedule:
      'Put it under `recurring_tasks`, as in `recurring_tasks: {nightly: {taskref: main, schedule: "@daily"}}`.',
    workflow_dispatch: 'Delete it; every task can be started by hand with `ame run`.',
    pull_request_target: 'Write `pull_request`.',
    merge_request: 'Write `pull_request`.',
    tags: 'Put it under `push`, as in `push: {tags: ["v*"]}`.',
    branches: 'Put it under `push`, as in `push: {branches: [main]}`.',
    paths: 'Put it under `push`, as in `push: {paths: ["src/**"]}`.',
    release: 'Use tags, as in `push: {tags: ["v*"]}`.',
    tag: 'Use `push: {tags: ["*"]}`.',
  },
  keys: [
    key(
      'push',
      'map, or nothing for every push',
      { anyOf: [noFilter, table('push')] },
      'Pushes that start a run.',
    ),
    key(
      'pull_request',
      'map, or nothing for every pull request',
      { anyOf: [noFilter, table('pullRequest')] },
      'Pull requests that start a run.',
    ),
  ],
});

const ignoreHints = {
  'branches-ignore': 'Write `branches` with patterns that begin with `!`, as in `branches: ["!wip/**"]`.',
  'tags-ignore': 'Write `tags` with patterns that begin with `!`.',
  'paths-ignore': 'Write `paths` with patterns that begin with `!`, as in `paths: ["!docs/**"]`.',
  types: 'Delete it; pull requests run when they are opened and when commits are added.',
};

export const pushKeys = keyTable({
  what: '`push`',
  path: 'on.push',
  hints: ignoreHints,
  keys: [
    key(
      'branches',
      'pattern or list of patterns',
      refFilter,
      'Branches that count; the last match wins, `!` excludes.',
      'every branch, unless `tags` stands alone',
    ),
    key('tags', 'pattern or list of patterns', refFilter, 'Tags that count.', 'none'),
    key(
      'paths',
      'pattern or list of patterns',
      pathFilter,
      'Only pushes that change such a file; not applied to tags.',
      'any file',
    ),
    key('run', 'task or list of tasks', runList, 'Which tasks to run.', 'main, or the only task'),
  ],
});

export const pullRequestKeys = keyTable({
  what: '`pull_request`',
  path: 'on.pull_request',
  hints: { ...ignoreHints, tags: 'Delete it; a pull request has no tags.' },
  keys: [
    key(
      'branches',
      'pattern or list of patterns',
      refFilter,
      'Branches that the pull request goes into.',
      'every branch',
    ),
    key(
      'paths',
      'pattern or list of patterns',
      pathFilter,
      'Only pull requests that change such a file.',
      'any file',
    ),
    key('run', 'task or list of tasks', runList, 'Which tasks to run.', 'main, or the only task'),
    key(
      'forks',
      'approve | never',
      choice(forkRules),
      'Pull requests from forks: after an approval, or never.',
      'approve',
    ),
  ],
});
