import { plainCheck } from '../core/check.ts';
import { listChecks } from '../db/checks.ts';
import type { Db } from '../db/connect.ts';
import { findDelivery, listDecisions } from '../db/deliveries.ts';
import type { Hints } from '../hints.ts';

export type PushLineDeps = {
  readonly db: Db;
  readonly hints: Hints;
  /** Lets the addresses of this server's pages in a line open without asking. */
  readonly withToken: (line: string) => string;
};

/** Milliseconds between two looks without a hint. */
const pollMs = 100;

/**
 * What AME decided about a push, as lines for the terminal of who pushed: the check of the file for each ref, as
 * soon as it is decided. Ends when all is said or the signal says that time is up.
 */
export async function* pushLines(
  deps: PushLineDeps,
  deliveryIds: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const id of deliveryIds) {
    const lines = await linesOf(deps, id, signal);
    if (lines === null) {
      yield `AME has the push and will decide about it: ame why ${id}`;
      return;
    }
    yield* lines;
  }
}

async function linesOf(
  deps: PushLineDeps,
  id: string,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  for (;;) {
    const heard = deps.hints.wait('decided', pollMs, signal);
    const delivery = await findDelivery(deps.db, id);
    if (delivery?.decidedAt && delivery.after !== null && delivery.repositoryId !== null) {
      const decisions = await listDecisions(deps.db, { deliveries: [id] });
      const commit = decisions.find((decision) => decision.commit !== null)?.commit;
      const [check] = commit
        ? await listChecks(deps.db, { sha: commit, repositoryId: delivery.repositoryId })
        : [];
      if (!check) return decisions.map(({ message }) => message);
      return plainCheck(check.says).trimEnd().split('\n').map(deps.withToken);
    }
    if (signal.aborted) return null;
    await heard;
  }
}
