import { isFinal } from '../core/run.ts';
import type { RunStep } from '../core/run/step.ts';
import { listAttempts, type Attempt } from '../db/attempts.ts';
import type { PlacedRun } from '../db/runs.ts';
import { describeError } from '../log.ts';
import { ordersOf } from './order.ts';
import type { RunDeps } from './runs.ts';

/** Calls at once: each may be one to a cluster, and a run may fan out into hundreds of attempts. */
const callsAtOnce = 10;

/** Outside effects, once the rows that call for them are committed. */
export async function actRun(
  deps: RunDeps,
  run: PlacedRun,
  step: RunStep,
  rows: readonly Attempt[],
): Promise<void> {
  const byPlace = new Map(rows.map((row) => [`${row.position}/${row.number}`, row]));
  const rowOf = (place: { readonly position: number; readonly number: number }): Attempt | undefined =>
    byPlace.get(`${place.position}/${place.number}`);
  const rowsOf = (places: readonly Parameters<typeof rowOf>[0][]): readonly Attempt[] =>
    places.map(rowOf).filter((row) => row !== undefined);
  const { executor } = deps;
  const stopping = rowsOf(step.stop).filter((row) => isReachable(deps, row));
  await callEach(stopping, (row) => executor.stop(row.id));
  await callEach(await ordersOf(deps, run, rowsOf(step.start)), (order) => executor.start(order));
  const ended = step.changes.filter(({ from, to }) => from !== 'waiting' && isFinal(to.state));
  await callEach(rowsOf(ended), (row) => leave(deps, row));
}

/** In order, a few at once. All of these are waited for: one that fails leaves none on its way behind the step's end. */
async function callEach<T>(items: readonly T[], call: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += callsAtOnce) {
    const ends = await Promise.allSettled(items.slice(from, from + callsAtOnce).map(call));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}

/** What is over leaves nothing behind outside. Where that fails the run is not held up: its last step does it again. */
async function leave(deps: RunDeps, row: Attempt): Promise<void> {
  if (!isReachable(deps, row)) return;
  try {
    await deps.executor.stop(row.id);
  } catch (error) {
    deps.log.warn({ attempt: row.id, error: describeError(error) }, 'what an attempt left was not removed');
  }
}

/** Takes away what attempts of a run that is over may have left outside, all of which has been stored. */
export async function leaveRun(deps: RunDeps, run: PlacedRun): Promise<void> {
  // What was taken over was an earlier run's, and what was never queued was never started.
  const started = (await listAttempts(deps.db, run.id)).filter(
    (row) => row.reusedFrom === null && row.queuedAt !== null && isReachable(deps, row),
  );
  await callEach(started, (row) => deps.executor.stop(row.id));
}

/** What runs on another machine is left to that one. */
function isReachable(deps: RunDeps, row: Attempt): boolean {
  return row.host === null || row.host === deps.host;
}
