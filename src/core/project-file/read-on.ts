import { busyRules } from '../project.ts';
import type { Concurrency, Project, PullRequestTrigger, PushTrigger, Reference } from '../project.ts';
import type { Place } from '../problems.ts';
import { concurrencyKeys } from './keys-project.ts';
import { onKeys, pullRequestKeys, pushKeys } from './keys-trigger.ts';
import type { Entry } from './node.ts';
import { readChoice, readFields, readItems, readMap } from './read.ts';
import { positionOf, readReferences } from './read-name.ts';
import { readFilter } from './read-globs.ts';
import type { Report } from './report.ts';
import { forkRules, groups, triggers } from './shapes.ts';

/** `on`: `push`, `pull_request`, a list of them, or a map of each to its filters. */
export function readOn(entry: Entry, report: Report): NonNullable<Project['on']> {
  const position = positionOf(entry.at);
  if (entry.value.kind === 'map') {
    const fields = readFields(entry.value, onKeys, report, { mayBeEmpty: ['push', 'pull_request'] });
    const push = fields.get('push');
    const pullRequest = fields.get('pull_request');
    return {
      position,
      push: push === undefined ? null : readPush(push, report),
      pullRequest: pullRequest === undefined ? null : readPullRequest(pullRequest, report),
    };
  }
  let push: PushTrigger | null = null;
  let pullRequest: PullRequestTrigger | null = null;
  for (const item of readItems(entry.value, 'An item of `on`', report)) {
    if (item.kind === 'map') {
      const write = 'Write `on` as a map, without hyphens: `on: {push: {branches: [main]}}`.';
      report('wrong-type', item.at, {
        what: 'An item of `on`',
        expected: 'the word `push` or `pull_request`',
        found: 'a map',
        write,
      });
      continue;
    }
    const trigger = readChoice(item, '`on`', triggers, report, onKeys.hints);
    if (trigger === 'push') push ??= anyPush(item.at);
    if (trigger === 'pull_request') pullRequest ??= anyPullRequest(item.at);
  }
  return { position, push, pullRequest };
}

function anyPush(at: Place): PushTrigger {
  return { position: positionOf(at), branches: null, tags: null, paths: null, run: null };
}

function anyPullRequest(at: Place): PullRequestTrigger {
  return { position: positionOf(at), branches: null, paths: null, run: null, forks: 'approve' };
}

const rules = { emptyMeans: 'counts as no filter' };

function readPush(entry: Entry, report: Report): PushTrigger {
  if (entry.value.kind === 'empty') return anyPush(entry.at);
  const write = 'Write `push: {branches: [main]}`, or `on: push` for every push.';
  const node = readMap(entry.value, { what: '`push`', expected: 'a map or nothing', write }, report);
  if (node === null) return anyPush(entry.at);
  const fields = readFields(node, pushKeys, report, rules);
  return {
    position: positionOf(entry.at),
    branches: readFilter(fields.get('branches'), 'branches', report),
    tags: readFilter(fields.get('tags'), 'tags', report),
    paths: readFilter(fields.get('paths'), 'paths', report),
    run: readRun(fields, report),
  };
}

function readPullRequest(entry: Entry, report: Report): PullRequestTrigger {
  if (entry.value.kind === 'empty') return anyPullRequest(entry.at);
  const write = 'Write `pull_request: {branches: [main]}`, or `on: pull_request` for all of them.';
  const node = readMap(entry.value, { what: '`pull_request`', expected: 'a map or nothing', write }, report);
  if (node === null) return anyPullRequest(entry.at);
  const fields = readFields(node, pullRequestKeys, report, rules);
  const forks = fields.get('forks');
  return {
    position: positionOf(entry.at),
    branches: readFilter(fields.get('branches'), 'branches', report),
    paths: readFilter(fields.get('paths'), 'paths', report),
    run: readRun(fields, report),
    forks:
      forks === undefined ? 'approve' : (readChoice(forks.value, '`forks`', forkRules, report) ?? 'approve'),
  };
}

type WithRun = { get(name: 'run'): Entry | undefined; lacks(name: 'run'): boolean };

function readRun(fields: WithRun, report: Report): readonly Reference[] | null {
  const entry = fields.get('run');
  // Misspelt, it is not missing: then nothing is said about the default either.
  if (entry === undefined) return fields.lacks('run') ? null : [];
  if (entry.value.kind === 'list' && entry.value.items.length === 0) {
    report('empty-list', entry.value.at, { key: entry.key, means: 'nothing would run' });
    return [];
  }
  return readReferences(entry, report);
}

/** `concurrency`: which runs concern each other, and what a new one does to them. */
export function readConcurrency(entry: Entry, report: Report): Concurrency | null {
  const write = 'Write `concurrency: {group: branch, when_busy: cancel}`, for instance.';
  const node = readMap(entry.value, { what: '`concurrency`', expected: 'a map', write }, report);
  if (node === null) return null;
  const fields = readFields(node, concurrencyKeys, report);
  const group = fields.get('group');
  const whenBusy = fields.get('when_busy');
  return {
    position: positionOf(entry.at),
    group: group === undefined ? 'branch' : (readChoice(group.value, '`group`', groups, report) ?? 'branch'),
    whenBusy: whenBusy === undefined ? null : readChoice(whenBusy.value, '`when_busy`', busyRules, report),
  };
}
