import { decideFilter } from './glob.ts';
import { all, shown } from './problems/wording.ts';
import type { BusyRule, Filter, Project, PullRequestTrigger, PushTrigger } from './project.ts';
import { chooseTasks } from './trigger/default-task.ts';
import { noRun, quote, type Decision } from './trigger/decision.ts';

export const triggers = ['push', 'pull_request', 'tick', 'request', 'retry'] as const;
export type Trigger = (typeof triggers)[number];

/** What is known of one ref that moved. Blob ids are those of `ame.yaml`; `null`: there is none. */
export type PushFacts = {
  readonly kind: 'branch' | 'tag';
  /** Without `refs/heads/` or `refs/tags/`. */
  readonly name: string;
  readonly created: boolean;
  readonly deleted: boolean;
  /** The ref is where it was: only who looks at it is new, or it has become the default branch. */
  readonly unmoved?: boolean;
  /** On a new branch that of the default branch. */
  readonly fileBefore: string | null;
  readonly fileAfter: string | null;
  /** Between the trees before and after; `null` where there is nothing to compare with, as for tags. */
  readonly changedPaths: readonly string[] | null;
  readonly defaultBranch: string | null;
  readonly isDefaultBranch: boolean;
};

export type PullRequestFacts = {
  /** The branch that it would be merged into. */
  readonly base: string;
  /** Between merge base and head; `null` where it could not be told. */
  readonly changedPaths: readonly string[] | null;
  readonly fromFork: boolean;
  /** Whether someone with the right to has let code of a fork run. */
  readonly approved: boolean;
};

/**
 * What a push makes run, or the rule and line that said no. `project` is `null` where the file has errors.
 * Every answer is kept, so the rule codes stay as they are once released.
 */
export function decidePush(project: Project | null, facts: PushFacts): Decision {
  const ref = `${facts.kind} ${shown(facts.name)}`;
  if (facts.deleted) return noRun('ref-deleted', null, `The ${ref} was deleted.`);
  if (facts.fileAfter === null) {
    if (facts.fileBefore === null || facts.created)
      return noRun('file-absent', null, 'There is no ame.yaml at this commit.');
    const schedules = facts.isDefaultBranch ? ', and schedules stop' : '';
    return noRun('file-deleted', null, `ame.yaml was deleted: what runs may finish${schedules}.`);
  }
  if (project === null)
    return noRun('file-invalid', null, 'Nothing runs until the errors in ame.yaml are repaired.');
  if (facts.unmoved)
    return noRun(
      'nothing-pushed',
      null,
      `Nothing was pushed: the ${ref} was only looked at. The next push is decided by the file.`,
    );
  if (project.on === null) return decideWithoutOn(project, facts, ref);
  const { push, position } = project.on;
  if (push === null) {
    const message = `\`on\` in line ${position.line} does not name \`push\`.`;
    return noRun('push-not-listed', position.line, message, 'on: [push, pull_request]');
  }
  return (
    decideRef(push, facts, ref) ??
    decidePaths(push, facts.changedPaths, facts.kind) ??
    chooseTasks(project, push, pushYes(push))
  );
}

function decideWithoutOn(project: Project, facts: PushFacts, ref: string): Decision {
  const [recurring] = project.recurringTasks;
  if (recurring !== undefined) {
    const { line } = recurring.position;
    const message = `Without \`on\`, \`recurring_tasks\` (line ${line}) alone says when something runs.`;
    return noRun('only-recurring', line, message, 'on: push');
  }
  if (facts.kind === 'tag') {
    const message = `Without \`on\`, pushes to branches count and the ${ref} does not.`;
    return noRun('tag-without-on', null, message, `on:\n  push: {tags: [${quote(facts.name)}]}`);
  }
  if (facts.fileBefore === facts.fileAfter) {
    const message =
      'Without `on`, only a push that adds or changes ame.yaml runs something, and this one did neither.';
    return noRun('file-unchanged', null, message, 'on: push');
  }
  const [rule, what] = facts.fileBefore === null ? ['file-added', 'adds'] : ['file-changed', 'changes'];
  const yes = {
    rule,
    line: null,
    message: `Without \`on\`, a push that ${what} ame.yaml runs the default task.`,
  };
  return chooseTasks(project, null, yes);
}

function pushYes(push: PushTrigger) {
  const { line } = push.position;
  return { rule: 'push', line, message: `\`push\` in line ${line} lets it run.` };
}

/** Without filters a push means branches; with only one of the two filters it means only that kind. */
function decideRef(push: PushTrigger, facts: PushFacts, ref: string): Decision | null {
  const [key, filter, other] =
    facts.kind === 'branch'
      ? (['branches', push.branches, push.tags] as const)
      : (['tags', push.tags, push.branches] as const);
  if (filter !== null) return decideName(filter, key, facts.name, ref);
  if (facts.kind === 'branch' && other === null) return null;
  const line = other?.position.line ?? push.position.line;
  const remedy = `${key}: [${quote(facts.name)}]`;
  if (other === null) {
    const message = `\`push\` in line ${line} has no \`tags\`, so it means branches, and the ${ref} does not count.`;
    return noRun('tags-not-listed', line, message, remedy);
  }
  const present = key === 'tags' ? 'branches' : 'tags';
  const message = `\`push\` has only \`${present}\` (line ${line}), so the ${ref} does not count.`;
  return noRun(`${key}-not-listed`, line, message, remedy);
}

function decideName(filter: Filter, key: 'branches' | 'tags', name: string, what: string): Decision | null {
  const { matched, by } = decideFilter(globsOf(filter), name);
  if (matched) return null;
  const pattern = by === null ? undefined : filter.patterns[by];
  const remedy = extend(key, globsOf(filter), name);
  if (pattern === undefined) {
    const { line } = filter.position;
    return noRun(
      `${key}-not-matched`,
      line,
      `No pattern of \`${key}\` in line ${line} matches the ${what}.`,
      remedy,
    );
  }
  const { line } = pattern.position;
  const message = `${shown(pattern.glob)} in line ${line} excludes the ${what}.`;
  return noRun(`${key}-excluded`, line, message, remedy);
}

/** One changed path that passes is enough. Tags have no paths, and where nothing can be compared all counts as changed. */
function decidePaths(
  trigger: PushTrigger | PullRequestTrigger,
  changedPaths: readonly string[] | null,
  kind: 'branch' | 'tag' | 'pull request',
): Decision | null {
  const { paths } = trigger;
  if (paths === null || changedPaths === null || kind === 'tag') return null;
  const globs = globsOf(paths);
  if (changedPaths.some((path) => decideFilter(globs, path).matched)) return null;
  const { line } = paths.position;
  const what =
    changedPaths.length === 0
      ? 'Nothing changed, and so nothing passes'
      : changedPaths.length === 1
        ? 'The one changed path does not pass'
        : `None of the ${changedPaths.length} changed paths passes`;
  const message = `${what} \`paths\` in line ${line}.`;
  const [first] = changedPaths;
  const remedy = first === undefined ? null : extend('paths', globs, first);
  return noRun('paths-not-matched', line, message, remedy);
}

/** The list with one more entry at its end, or that entry alone where the list is long. */
function extend(key: 'branches' | 'tags' | 'paths', globs: readonly string[], name: string): string {
  const list = `${key}: [${[...globs, name].map(quote).join(', ')}]`;
  return list.length <= 300 ? list : `- ${quote(name)}`;
}

function globsOf(filter: Filter): string[] {
  return filter.patterns.map(({ glob }) => glob);
}

/** What a pull request makes run, by the file at its head. */
export function decidePullRequest(project: Project | null, facts: PullRequestFacts): Decision {
  if (project === null)
    return noRun('file-invalid', null, 'Nothing runs until the errors in ame.yaml are repaired.');
  const trigger = project.on?.pullRequest ?? null;
  if (trigger === null) {
    const line = project.on?.position.line ?? null;
    const where =
      line === null
        ? 'There is no `on`, so pull requests run nothing.'
        : `\`on\` in line ${line} does not name \`pull_request\`.`;
    return noRun('pull-request-not-listed', line, where, 'on: [push, pull_request]');
  }
  const { line } = trigger.position;
  if (facts.fromFork && trigger.forks === 'never') {
    const message = `\`forks: never\` under \`pull_request\` (line ${line}) keeps code of forks from running.`;
    return noRun('fork-refused', line, message, 'forks: approve');
  }
  const base = `base branch ${shown(facts.base)}`;
  const refused =
    trigger.branches === null ? null : decideName(trigger.branches, 'branches', facts.base, base);
  const yes = { rule: 'pull-request', line, message: `\`pull_request\` in line ${line} lets it run.` };
  const decision =
    refused ?? decidePaths(trigger, facts.changedPaths, 'pull request') ?? chooseTasks(project, trigger, yes);
  if (!facts.fromFork || facts.approved || decision.outcome === 'no-run') return decision;
  const message = 'It comes from a fork and waits until someone who may write here approves it.';
  return { ...noRun('fork-awaits-approval', line, message), awaiting: decision.tasks };
}

/** What someone who asks gets: a task of the file, or with `null` the default one. */
export function decideRequest(project: Project | null, task: string | null): Decision {
  if (project === null)
    return noRun('file-invalid', null, 'Nothing runs until the errors in ame.yaml are repaired.');
  if (task === null)
    return chooseTasks(project, null, { rule: 'request', line: null, message: 'Someone asked for it.' });
  const found = project.tasks.find(({ name }) => name === task);
  if (found !== undefined) {
    return {
      outcome: 'run',
      tasks: [task],
      rule: 'request',
      line: found.position.line,
      message: 'Someone asked for it.',
      remedy: null,
    };
  }
  const names = all(project.tasks.map(({ name }) => name));
  return noRun('task-unknown', null, `There is no task ${shown(task)} in the file. It has ${names}.`);
}

/** Runs of one project with the same group get in each other's way. `ref` is the full name of the ref. */
export function concurrencyGroup(project: Project, task: string, ref: string): string {
  return project.concurrency?.group === 'task' ? `task:${task}` : `branch:${task}:${ref}`;
}

/** What a new run does about those of its group. Ticks follow their schedule's `overlap` instead; a retry cancels nothing. */
export function busyRule(project: Project, trigger: Trigger): BusyRule {
  if (trigger === 'tick') return 'allow';
  const rule = project.concurrency?.whenBusy ?? (trigger === 'pull_request' ? 'cancel' : 'allow');
  return trigger === 'retry' && rule === 'cancel' ? 'allow' : rule;
}
