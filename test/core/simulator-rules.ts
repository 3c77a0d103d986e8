import { isFinal, type AttemptState, type RunState } from '../../src/core/run.ts';
import { attemptsOf, runOf, type RunRow, type Table } from './simulator-table.ts';

/** Something of which the design says that it cannot be. */
export class BrokenRule extends Error {
  override name = 'BrokenRule';
}

/** What must hold after every single move. */
export function checkRules(table: Table, finals: Map<string, RunState | AttemptState>): void {
  for (const run of table.runs) {
    if (run.finishedAt === null && run.dueAt === null) throw new BrokenRule(`run ${run.id} is forgotten`);
    checkFinal(`run ${run.id}`, run, finals);
    const open = new Set<string>();
    for (const row of attemptsOf(table, run.id)) {
      checkFinal(`attempt ${row.id}`, row, finals);
      if (row.finishedAt !== null) continue;
      if (open.has(row.task)) throw new BrokenRule(`${row.task} of run ${run.id} has two attempts at once`);
      open.add(row.task);
    }
    checkTries(table, run);
  }
}

function checkFinal(
  what: string,
  { state, finishedAt }: { readonly state: AttemptState; readonly finishedAt: Date | null },
  finals: Map<string, RunState | AttemptState>,
): void {
  if (isFinal(state) !== (finishedAt !== null))
    throw new BrokenRule(`${what} is ${state} and finished at ${finishedAt?.toISOString()}`);
  const before = finals.get(what);
  if (before !== undefined && before !== state)
    throw new BrokenRule(`${what} was ${before} and became ${state}`);
  if (finishedAt !== null) finals.set(what, state);
}

/** The first, as many as the file allows, and three for what is not the command's doing. */
function checkTries(table: Table, run: RunRow): void {
  const tries = new Map<string, number>();
  for (const row of attemptsOf(table, run.id)) tries.set(row.task, (tries.get(row.task) ?? 0) + 1);
  for (const { name, retries } of run.plan.tasks) {
    if ((tries.get(name) ?? 0) > 1 + retries.max + 3)
      throw new BrokenRule(`${name} of run ${run.id} was tried ${tries.get(name)} times`);
  }
}

/** What must hold once everything is over. */
export function checkEnds(table: Table): void {
  for (const [id, rows] of table.attempts) {
    if (rows.some(({ finishedAt }) => finishedAt === null))
      throw new BrokenRule(`run ${id} left an attempt unfinished`);
    const run = runOf(table, id);
    if (run.told !== run.state)
      throw new BrokenRule(`run ${id} is ${run.state} and its commit was told ${run.told}`);
    const failed = run.plan.tasks.some(
      (_, position) => rows.findLast((row) => row.position === position)?.state === 'failed',
    );
    if (failed !== (run.state === 'failed'))
      throw new BrokenRule(`run ${id} is ${run.state}, its tasks say otherwise`);
  }
}
