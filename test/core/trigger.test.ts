import { describe, expect, test } from 'vitest';
import type { Filter, Project, PullRequestTrigger, PushTrigger } from '../../src/core/project.ts';
import {
  busyRule,
  concurrencyGroup,
  decidePullRequest,
  decidePush,
  decideRequest,
  type PullRequestFacts,
  type PushFacts,
} from '../../src/core/trigger.ts';
import { command, named, projectOf } from './project-builder.ts';

const at = (line: number) => ({ line, column: 1 });

function filter(line: number, ...globs: string[]): Filter {
  return {
    position: at(line),
    patterns: globs.map((glob, index) => ({ glob, position: at(line + 1 + index) })),
  };
}

function onPush(push: Partial<PushTrigger> = {}, tasks = [command('main')]): Project {
  const trigger = { position: at(4), branches: null, tags: null, paths: null, run: null, ...push };
  return projectOf(tasks, { on: { position: at(3), push: trigger, pullRequest: null } });
}

function onPullRequest(pull: Partial<PullRequestTrigger> = {}): Project {
  const pullRequest = {
    position: at(4),
    branches: null,
    paths: null,
    run: null,
    forks: 'approve' as const,
    ...pull,
  };
  return projectOf([command('main')], { on: { position: at(3), push: null, pullRequest } });
}

const facts: PushFacts = {
  kind: 'branch',
  name: 'dev',
  created: false,
  deleted: false,
  fileBefore: 'blob1',
  fileAfter: 'blob1',
  changedPaths: ['src/a.py'],
  defaultBranch: 'main',
  isDefaultBranch: false,
};
const tag: Partial<PushFacts> = { kind: 'tag', name: 'v1', changedPaths: null };
const silent = projectOf([command('main')]);
const recurring = projectOf([command('main')], {
  recurringTasks: [
    {
      ...named('daily', 9),
      taskref: named('main', 10),
      schedule: '@daily',
      timezone: 'UTC',
      catchup: 'last',
      overlap: 'skip',
    },
  ],
});
const two = [command('a'), command('b')];

describe('decidePush', () => {
  test.each<
    [string, Project | null, Partial<PushFacts>, string, readonly string[], number | null, string | null]
  >([
    ['a deleted ref', onPush(), { deleted: true, fileAfter: null }, 'ref-deleted', [], null, null],
    ['no file', null, { fileBefore: null, fileAfter: null }, 'file-absent', [], null, null],
    ['a deleted file', null, { fileAfter: null }, 'file-deleted', [], null, null],
    ['a broken file', null, {}, 'file-invalid', [], null, null],

    ['no `on`, file as before', silent, {}, 'file-unchanged', [], null, 'on: push'],
    ['no `on`, file changed', silent, { fileBefore: 'blob0' }, 'file-changed', ['main'], null, null],
    ['no `on`, file added', silent, { fileBefore: null, created: true }, 'file-added', ['main'], null, null],
    [
      'no `on`, a tag',
      silent,
      { ...tag, fileBefore: null },
      'tag-without-on',
      [],
      null,
      'on:\n  push: {tags: ["v1"]}',
    ],
    ['no `on`, schedules', recurring, { fileBefore: null }, 'only-recurring', [], 9, 'on: push'],
    [
      'no `on`, two tasks',
      projectOf(two),
      { fileBefore: null },
      'no-default-task',
      [],
      null,
      'on:\n  push: {run: ["b"]}',
    ],
    ['no `on`, one task', projectOf([command('x')]), { fileBefore: null }, 'file-added', ['x'], null, null],

    ['`on` without push', onPullRequest(), {}, 'push-not-listed', [], 3, 'on: [push, pull_request]'],
    ['every push', onPush(), {}, 'push', ['main'], 4, null],
    ['every push, no tags', onPush(), tag, 'tags-not-listed', [], 4, 'tags: ["v1"]'],
    ['branches: yes', onPush({ branches: filter(5, 'main', 'd*') }), {}, 'push', ['main'], 4, null],
    [
      'branches: no',
      onPush({ branches: filter(5, 'main') }),
      {},
      'branches-not-matched',
      [],
      5,
      'branches: ["main", "dev"]',
    ],
    [
      'branches: excluded',
      onPush({ branches: filter(5, '**', '!dev') }),
      {},
      'branches-excluded',
      [],
      7,
      'branches: ["**", "!dev", "dev"]',
    ],
    ['branches: no pattern', onPush({ branches: filter(5) }), {}, 'push', ['main'], 4, null],
    [
      'branches alone exclude tags',
      onPush({ branches: filter(5, '**') }),
      tag,
      'tags-not-listed',
      [],
      5,
      'tags: ["v1"]',
    ],
    [
      'tags alone exclude branches',
      onPush({ tags: filter(5, '**') }),
      {},
      'branches-not-listed',
      [],
      5,
      'branches: ["dev"]',
    ],
    ['tags: yes', onPush({ tags: filter(5, 'v*') }), tag, 'push', ['main'], 4, null],
    ['tags: no', onPush({ tags: filter(5, 'w*') }), tag, 'tags-not-matched', [], 5, 'tags: ["w*", "v1"]'],

    ['paths: yes', onPush({ paths: filter(6, 'src/**') }), {}, 'push', ['main'], 4, null],
    [
      'paths: one is enough',
      onPush({ paths: filter(6, '!docs/**') }),
      { changedPaths: ['docs/a', 'b'] },
      'push',
      ['main'],
      4,
      null,
    ],
    [
      'paths: no',
      onPush({ paths: filter(6, 'docs/**') }),
      {},
      'paths-not-matched',
      [],
      6,
      'paths: ["docs/**", "src/a.py"]',
    ],
    [
      'paths: nothing changed',
      onPush({ paths: filter(6, '**') }),
      { changedPaths: [] },
      'paths-not-matched',
      [],
      6,
      null,
    ],
    [
      'paths: nothing to compare with',
      onPush({ paths: filter(6, 'docs/**') }),
      { changedPaths: null },
      'push',
      ['main'],
      4,
      null,
    ],
    [
      'paths are not for tags',
      onPush({ tags: filter(5, '**'), paths: filter(6, 'x') }),
      { ...tag, changedPaths: ['a'] },
      'push',
      ['main'],
      4,
      null,
    ],

    ['run', onPush({ run: [named('b'), named('a'), named('b')] }, two), {}, 'push', ['b', 'a'], 4, null],
    ['run: nothing', onPush({ run: [] }, two), {}, 'run-empty', [], 4, 'run: ["b"]'],
    ['no default task', onPush({}, two), {}, 'no-default-task', [], 4, 'run: ["b"]'],
  ])('%s', (_name, project, given, rule, tasks, line, remedy) => {
    const decision = decidePush(project, { ...facts, ...given });
    const outcome = tasks.length > 0 ? 'run' : 'no-run';
    expect(decision).toEqual({ outcome, tasks, rule, line, remedy, message: expect.stringMatching(/\.$/) });
    expect(
      decision.message.includes(`line ${line}`) ||
        line === null ||
        rule.startsWith('no-') ||
        rule === 'run-empty',
    ).toBe(true);
  });

  test('a long list is not repeated in the remedy', () => {
    const globs = Array.from({ length: 100 }, (_, index) => `release/${index}`);
    expect(decidePush(onPush({ branches: filter(5, ...globs) }), facts).remedy).toBe('- "dev"');
  });

  test('a message shows a hostile name as one harmless line', () => {
    const { message, remedy } = decidePush(onPush({ branches: filter(5, 'x') }), {
      ...facts,
      name: 'a\n\u202eb`',
    });
    expect(message).not.toMatch(/[\n\u202e]/);
    expect(remedy).not.toMatch(/\n/);
  });
});

describe('decidePullRequest', () => {
  const pull: PullRequestFacts = { base: 'main', changedPaths: ['src/a'], fromFork: false, approved: false };
  test.each<[string, Project | null, Partial<PullRequestFacts>, string]>([
    ['a broken file', null, {}, 'file-invalid'],
    ['no `on`', silent, {}, 'pull-request-not-listed'],
    ['only pushes', onPush(), {}, 'pull-request-not-listed'],
    ['every pull request', onPullRequest(), {}, 'pull-request'],
    ['a fork', onPullRequest(), { fromFork: true }, 'fork-awaits-approval'],
    ['an approved fork', onPullRequest(), { fromFork: true, approved: true }, 'pull-request'],
    ['never a fork', onPullRequest({ forks: 'never' }), { fromFork: true, approved: true }, 'fork-refused'],
    ['another base', onPullRequest({ branches: filter(5, 'release/*') }), {}, 'branches-not-matched'],
    ['other paths', onPullRequest({ paths: filter(5, 'docs/**') }), {}, 'paths-not-matched'],
  ])('%s', (_name, project, given, rule) => {
    const decision = decidePullRequest(project, { ...pull, ...given });
    expect(decision).toMatchObject({ rule, tasks: rule === 'pull-request' ? ['main'] : [] });
  });
});

describe('decideRequest', () => {
  test.each<[Project | null, string | null, string, readonly string[]]>([
    [projectOf(two), 'b', 'request', ['b']],
    [projectOf(two), 'c', 'task-unknown', []],
    [projectOf(two), null, 'no-default-task', []],
    [silent, null, 'request', ['main']],
    [null, 'a', 'file-invalid', []],
  ])('%#', (project, task, rule, tasks) => {
    expect(decideRequest(project, task)).toMatchObject({ rule, tasks });
  });
});

describe('concurrency', () => {
  const said = (group: 'branch' | 'task', whenBusy: 'queue' | 'cancel' | null) =>
    projectOf([], { concurrency: { position: at(1), group, whenBusy } });

  test('groups', () => {
    expect(concurrencyGroup(silent, 'a', 'refs/heads/x')).not.toBe(
      concurrencyGroup(silent, 'a', 'refs/heads/y'),
    );
    expect(concurrencyGroup(silent, 'a', 'refs/heads/x')).not.toBe(
      concurrencyGroup(silent, 'b', 'refs/heads/x'),
    );
    const byTask = said('task', null);
    expect(concurrencyGroup(byTask, 'a', 'refs/heads/x')).toBe(concurrencyGroup(byTask, 'a', 'refs/heads/y'));
  });

  test.each([
    ['push', 'allow', 'queue', 'cancel'],
    ['request', 'allow', 'queue', 'cancel'],
    ['pull_request', 'cancel', 'queue', 'cancel'],
    ['retry', 'allow', 'queue', 'allow'],
    ['tick', 'allow', 'allow', 'allow'],
  ] as const)('%s: %s by default, %s for queue, %s for cancel', (trigger, unsaid, queue, cancel) => {
    expect(busyRule(said('branch', null), trigger)).toBe(unsaid);
    expect(busyRule(silent, trigger)).toBe(unsaid);
    expect(busyRule(said('branch', 'queue'), trigger)).toBe(queue);
    expect(busyRule(said('branch', 'cancel'), trigger)).toBe(cancel);
  });
});
