import type { Observation } from '../../src/core/attempt.ts';
import { isFinal, type AttemptState } from '../../src/core/run.ts';
import { stepRun, type RunView } from '../../src/core/run/step.ts';
import { resourceDefaults } from './step-view.ts';
import {
  attemptsOf,
  release,
  runOf,
  saveStep,
  wakeGroup,
  type AttemptRow,
  type Lease,
  type RunRow,
  type Table,
} from './simulator-table.ts';

/** Where attempts run, as a step sees it. */
export type Place = {
  /** Whose attempts this worker can see; `null`: everybody's, as on a cluster. */
  readonly host: string | null;
  observe(attempt: number): Observation;
  start(row: AttemptRow, run: number): void;
  stop(attempt: number): void;
};

/**
 * One step of a run as `worker/runs.ts` takes it, cut wherever the real one waits for an answer: after each `yield`
 * the world may have changed, and whoever holds this may never go on.
 */
export function* reconcile(table: Table, place: Place, id: number, lease: Lease): Generator<string, void> {
  const run: RunRow = { ...runOf(table, id) };
  yield 'read the run';
  if (isFinal(run.state)) {
    release(table, runOf(table, id), lease, null);
    return;
  }
  const { view, rows } = yield* observe(table, place, run);
  const step = stepRun(view, new Date(lease.now));
  yield 'before the save';
  if (table.without === 'the order of rows and starts') {
    for (const { position, number } of step.start) {
      const row = attemptsOf(table, id).find((one) => one.position === position && one.number === number);
      if (row !== undefined) place.start(row, id);
      yield 'started one too early';
    }
  }
  const saved = saveStep(table, run, lease, step, place.host);
  if (isFinal(step.state)) wakeGroup(table, run.group);
  yield 'saved';
  const byPlace = new Map([...rows, ...saved].map((row) => [`${row.position}/${row.number}`, row]));
  const rowAt = ({ position, number }: { position: number; number: number }): AttemptRow | undefined =>
    byPlace.get(`${position}/${number}`);
  const over = step.changes.filter(({ from, to }) => from !== 'waiting' && isFinal(to.state));
  for (const row of [...step.stop, ...over].map(rowAt)) {
    if (row === undefined || (row.host !== null && row.host !== place.host)) continue;
    place.stop(row.id);
    yield 'stopped one';
  }
  for (const row of step.start.map(rowAt)) {
    if (row !== undefined) place.start(row, run.id);
    yield 'started one';
  }
}

function* observe(
  table: Table,
  place: Place,
  run: RunRow,
): Generator<string, { readonly view: RunView; readonly rows: readonly AttemptRow[] }> {
  const last = new Map<number, AttemptState>();
  for (const row of attemptsOf(table, run.id).toSorted((a, b) => a.number - b.number))
    last.set(row.position, row.state);
  yield 'read the states';
  const first = activeOf(table, run.id);
  yield 'read what is active';
  const ahead =
    run.whenBusy === 'queue' && run.startedAt === null
      ? table.runs.filter(
          ({ id, group, finishedAt }) => id < run.id && group === run.group && finishedAt === null,
        ).length
      : 0;
  const isOurs = (row: AttemptRow): boolean =>
    row.state !== 'waiting' && (row.host === null || row.host === place.host);
  const silent = first.filter((row) => isOurs(row) && row.report === null);
  const seen = new Map(silent.map((row) => [row.id, place.observe(row.id)]));
  yield 'looked at the executor';
  const gone = silent.some((row) => seen.get(row.id)?.kind === 'absent');
  const rows = gone ? activeOf(table, run.id) : first;
  yield 'read it again';
  const tasks = new Set(rows.map(({ task }) => task));
  const ended = attemptsOf(table, run.id).filter((row) => tasks.has(row.task) && row.finishedAt !== null);
  const unseen = (row: AttemptRow): Observation =>
    row.startedAt === null ? { kind: 'pending' } : { kind: 'running', startedAt: row.startedAt };
  const active = rows.map((row) => ({
    ...row,
    observation: isOurs(row) ? (seen.get(row.id) ?? { kind: 'absent' as const }) : unseen(row),
  }));
  const { plan, state, startedAt, failure, cancel } = run;
  const earlier = Map.groupBy(ended, ({ task }) => task);
  const states = plan.tasks.map((_, position): AttemptState => last.get(position) ?? 'waiting');
  const view = {
    plan,
    state,
    startedAt,
    failure,
    cancel,
    held: ahead > 0,
    states,
    active,
    earlier,
    scopes: new Map(),
    defaults: resourceDefaults,
    learned: new Map(),
  };
  return { view, rows };
}

function activeOf(table: Table, run: number): readonly AttemptRow[] {
  return attemptsOf(table, run).filter(
    (row) =>
      row.finishedAt === null &&
      (row.state === 'queued' || row.state === 'running' || row.notBefore !== null),
  );
}
