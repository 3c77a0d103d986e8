import { runCheck } from '../../src/core/check/run-check.ts';
import { planTask } from '../../src/core/plan.ts';
import { parseProjectFile } from '../../src/core/project-file.ts';
import { isFinal } from '../../src/core/run.ts';
import { busyRule, decidePullRequest, decidePush } from '../../src/core/trigger.ts';
import { noRun, type Decision } from '../../src/core/trigger/decision.ts';
import { placeRun, pullRequestBusyRule, type Placement } from '../../src/core/trigger/place-run.ts';
import {
  attemptsOf,
  claim,
  createTable,
  insertRun,
  runOf,
  say,
  type RunRow,
  type Table,
} from './simulator-table.ts';
import { reconcile, type Place } from './simulator-worker.ts';
import { report } from './step-view.ts';

const branch = 'topic';
const ref = `refs/heads/${branch}`;
const none = '0'.repeat(40);

/** What a host says of the branch, as its payloads do. */
export type Told = { readonly id: string; readonly after: string } & (
  { readonly kind: 'push'; readonly before: string } | { readonly kind: 'pull_request' }
);

/** Where the branch is when the deliveries are looked at, and what led there. */
export type History = {
  readonly name: string;
  /** `null`: it is gone, and the pull request is closed with it. */
  readonly tip: string | null;
  readonly told: readonly Told[];
};

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40)) as [
  string,
  string,
  string,
  string,
];

function push(id: string, before: string, after: string): Told {
  return { id, kind: 'push', before, after };
}

/**
 * Create, push, push, force push, delete, pull request and two duplicates: one told again under its own id, and one under
 * another, as who looks for what was missed tells it. The file of the third commit is broken.
 */
export const histories: readonly History[] = [
  {
    name: 'a branch that is gone',
    tip: null,
    told: [
      push('1', none, a),
      push('2', a, b),
      push('3', b, c),
      push('4', c, d),
      push('5', d, none),
      { id: '6', kind: 'pull_request', after: d },
      push('2', a, b),
      push('7', c, d),
    ],
  },
  {
    name: 'a branch that was deleted and made again',
    tip: d,
    told: [
      push('1', none, a),
      push('2', a, b),
      push('3', b, none),
      push('4', none, c),
      push('5', c, d),
      { id: '6', kind: 'pull_request', after: d },
      push('5', c, d),
      push('7', none, c),
    ],
  },
];

export const busyRules = ['allow', 'queue', 'cancel'] as const;
export type Rule = (typeof busyRules)[number];

function fileOf(commit: string, rule: Rule): string {
  const tasks =
    commit === c ? 'tasks: [broken' : 'tasks:\n  train: {pipeline: {fetch: fetch, fit: fit}}\n  lint: lint';
  return `projectname: spam\non:\n  push: {run: [train, lint]}\n  pull_request: {run: train}\nconcurrency: {when_busy: ${rule}}\n${tasks}\n`;
}

/** What a delivery comes to, whenever it is looked at: the host's truth is the same for all of them. */
export type Answer = {
  readonly id: string;
  readonly commit: string;
  readonly decision: Decision;
  readonly broken: boolean;
  readonly placed: readonly { readonly placement: Placement; readonly plan: RunRow['plan'] }[];
};

/** The answer to each of the deliveries of a history, by the file of its commit and by where the branch is now. */
export function answersOf({ told, tip }: History, rule: Rule): readonly Answer[] {
  return told.map((said) => {
    const { project, problems } = parseProjectFile(fileOf(said.after, rule));
    const fileId = `file of ${said.after}`;
    const decision = decide(said, tip, project, fileId);
    const whenBusy =
      project === null
        ? 'allow'
        : said.kind === 'push'
          ? busyRule(project, 'push')
          : pullRequestBusyRule(project, { fromFork: false, branch, fileId });
    const head = { commit: said.after, ref, outdated: said.after !== tip, whenBusy };
    const placed =
      project === null
        ? []
        : decision.tasks.map((task) => ({
            placement: placeRun(project, task, head),
            plan: planTask(project, task).plan,
          }));
    const broken = problems.some(({ severity }) => severity === 'error');
    return { id: said.id, commit: said.after, decision, broken, placed };
  });
}

function decide(
  said: Told,
  tip: string | null,
  project: Parameters<typeof decidePush>[0],
  fileId: string,
): Decision {
  if (said.kind === 'pull_request') {
    if (tip === null && project !== null)
      return noRun('pull-request-closed', null, 'The pull request is closed.');
    return decidePullRequest(project, { base: 'main', fromFork: false, approved: false, changedPaths: null });
  }
  return decidePush(project, {
    kind: 'branch',
    name: branch,
    created: said.before === none,
    deleted: said.after === none,
    fileBefore: said.before === none ? null : `file of ${said.before}`,
    fileAfter: said.after === none ? null : fileId,
    changedPaths: null,
    defaultBranch: 'main',
    isDefaultBranch: false,
  });
}

/**
 * Stores the runs of answers in this order, as the inbox and the rows do, and steps them to their ends: once all are
 * stored or, with `between`, after each one. Of each run: its cause, state, reason, and what its check concluded.
 */
export function runsOf(answers: readonly Answer[], between: boolean): readonly string[] {
  const table = createTable(null);
  const causes = new Map<string, RunRow>();
  for (const { placed } of answers) {
    for (const { placement, plan } of placed)
      if (!causes.has(placement.causeKey)) causes.set(placement.causeKey, insertRun(table, plan, placement));
    if (between) settle(table);
  }
  settle(table);
  return [...causes]
    .map(([cause, run]) => `${cause} ${run.state} ${run.reason ?? '-'} ${conclusionOf(run) ?? '-'}`)
    .toSorted();
}

/** What each commit is told of its file, once the deliveries were looked at in this order. */
export function filesOf(answers: readonly Answer[]): readonly string[] {
  const told = new Map<string, string>();
  for (const { commit, decision, broken } of answers) {
    // Where one ref of a commit runs something, another one that runs nothing takes nothing back.
    if (commit === none || told.get(commit) === 'success') continue;
    told.set(commit, broken ? 'failure' : decision.outcome === 'run' ? 'success' : 'neutral');
  }
  return [...told].map(([commit, conclusion]) => `file of ${commit} ${conclusion}`).toSorted();
}

function conclusionOf({ state }: RunRow): string | null {
  const check = runCheck({
    project: 'spam',
    number: 1,
    task: 'train',
    commit: a,
    ref,
    state,
    reason: null,
    seconds: null,
    tasks: [],
    artifacts: [],
    log: null,
    notices: [],
    annotations: [],
    unread: { tasks: 0, exceptions: 0 },
    requestedBy: null,
    command: '',
    externalId: '',
    url: '',
  });
  return check.conclusion;
}

/** Every run to its end, with commands that end well as soon as they are started. */
function settle(table: Table): void {
  const place: Place = {
    host: null,
    observe: () => ({ kind: 'absent' }),
    start: (row) => void say(table, row.id, { report: report(0) }),
    stop: () => {},
  };
  table.sessions.add(1);
  while (table.runs.some(({ dueAt }) => dueAt !== null)) {
    const taken = claim(table, 1);
    if (taken === null) table.clock += 10_000;
    else {
      const { run, lease } = taken;
      for (const steps = reconcile(table, place, run.id, lease); !steps.next().done;);
    }
  }
  for (const run of table.runs)
    if (
      !isFinal(runOf(table, run.id).state) ||
      attemptsOf(table, run.id).some(({ finishedAt }) => finishedAt === null)
    )
      throw new Error(`run ${run.id} did not end`);
}
