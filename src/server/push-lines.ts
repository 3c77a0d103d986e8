import { plainCheck } from '../core/check.ts';
import type { Db } from '../db/connect.ts';
import { findDelivery, listDecisions, type Delivery } from '../db/deliveries.ts';
import { findProjectAt, listRevisions } from '../db/projects.ts';
import { fileCheckOf } from '../file-check.ts';
import type { Hints } from '../hints.ts';

export type PushLineDeps = {
  readonly db: Db;
  readonly hints: Hints;
  /** Of this server's pages, without a slash at its end. */
  readonly address: () => string;
  /** Lets the addresses of this server's pages in a line open without asking. */
  readonly withToken: (line: string) => string;
};

/** Milliseconds between two looks without a hint. */
const pollMs = 100;

/**
 * What AME decided about a push, as lines for the terminal of who pushed: for each ref the problems of its file, and
 * what runs or which rule said no. Ends when all is said or the signal says that time is up.
 */
export async function* pushLines(
  deps: PushLineDeps,
  deliveryIds: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const id of deliveryIds) {
    const delivery = await decided(deps, id, signal);
    if (delivery === null) {
      yield `AME has the push and will decide about it: ame why ${id}`;
      return;
    }
    if (deliveryIds.length > 1) yield `${(delivery.ref ?? '').replace(/^refs\/(heads|tags)\//, '')}:`;
    yield* await linesOf(deps, delivery);
  }
}

/** The delivery once it is decided; `null` where time is up before. */
async function decided(deps: PushLineDeps, id: string, signal: AbortSignal): Promise<Delivery | null> {
  for (;;) {
    const heard = deps.hints.wait('decided', pollMs, signal);
    const delivery = await findDelivery(deps.db, id);
    if (delivery?.decidedAt) return delivery;
    if (signal.aborted) return null;
    await heard;
  }
}

async function linesOf(deps: PushLineDeps, delivery: Delivery): Promise<readonly string[]> {
  const { db, address, withToken } = deps;
  const decisions = await listDecisions(db, { deliveries: [delivery.id] });
  const [first] = decisions;
  const commit = first?.commit ?? null;
  const revisions = commit === null ? [] : await listRevisions(db, commit);
  const revision = revisions.find(({ projectId }) => projectId === first?.projectId);
  if (commit === null || !revision || delivery.repositoryId === null)
    return decisions.map(({ message }) => message);
  const { project, problems } = revision;
  const { repositoryId } = delivery;
  const placed = await findProjectAt(db, repositoryId, '');
  const about = {
    repositoryId,
    commit,
    address: address(),
    project: project && (placed?.name ?? project.name),
    problems,
    decisions,
  };
  return plainCheck(await fileCheckOf(db, about))
    .trimEnd()
    .split('\n')
    .map(withToken);
}
