import { hiddenRefReason } from './host.ts';
import { isZeroId } from './object-id.ts';
import type { PushRequest, RefCommand } from './receive-commands.ts';
import type { PushReport } from './report-status.ts';

/** What a push did, as the client is told and as it is recorded. */
export type PushEffect = { readonly report: PushReport; readonly moved: readonly RefCommand[] };

export const onlyBranchesAndTags = 'only branches and tags (refs/heads, refs/tags) can be pushed here';

/** Whether AME keeps a ref of this name for its users. */
export function isPushable(ref: string): boolean {
  return ref.startsWith('refs/heads/') || ref.startsWith('refs/tags/');
}

/**
 * What git did with each command of a push. Its report is its word about moves that it made under its own
 * locks, so it counts even where another push has moved the ref on since. Without a report, what the refs
 * hold now (`refsNow`) decides; a push that was overtaken in that moment is found by the sweep.
 */
export function pushEffect(
  request: PushRequest,
  report: PushReport | null,
  refsNow: ReadonlyMap<string, string>,
): PushEffect {
  const reasons = new Map(report?.refs.map(({ ref, reason }) => [ref, reason]));
  const refs = request.commands.map((command) => ({
    ref: command.ref,
    reason: report === null ? unreported(command, refsNow) : plain(reasons.get(command.ref)),
  }));
  const done = new Set(refs.filter(({ reason }) => reason === null).map(({ ref }) => ref));
  return {
    report: { unpack: report?.unpack ?? 'ok', refs },
    moved: request.commands.filter(({ ref, before, after }) => done.has(ref) && before !== after),
  };
}

function unreported(command: RefCommand, refsNow: ReadonlyMap<string, string>): string | null {
  const now = refsNow.get(command.ref);
  const reached = isZeroId(command.after) ? now === undefined : now === command.after;
  return reached ? null : 'git ended before it moved the ref';
}

function plain(reason: string | null | undefined): string | null {
  if (reason === undefined) return 'git did not say what became of the ref';
  return reason === hiddenRefReason ? onlyBranchesAndTags : reason;
}
