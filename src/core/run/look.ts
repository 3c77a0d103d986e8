import type { AttemptReport, Observation } from '../attempt.ts';
import { isOpen } from '../outcome.ts';
import type { Classification } from '../outcome/classes.ts';
import type { AskedResources } from '../resources.ts';
import { advance, type Attempt } from '../run.ts';
import { describeOutOfMemory } from './memory.ts';

/** What a step changes of an attempt besides its state. */
export type Given = {
  /** Since when it could run. */
  readonly readyAt: Date | null;
  /** What it is given; `null` before it is queued. */
  readonly resources: AskedResources | null;
  /** Why it still waits, as last seen. */
  readonly pendingWhy: string | null;
  /** When something of it was first seen outside of AME. */
  readonly seenAt: Date | null;
};

/** An attempt with all that was heard and is seen of it. */
export type Looked = Attempt &
  Given & {
    /** The agent's word that the command runs. */
    readonly saidStartedAt: Date | null;
    /** The agent's word that it is over. */
    readonly report: AttemptReport | null;
    readonly observation: Observation;
  };

/**
 * The attempt as it is now: by the agent's word where there is one, else by what the executor sees. `againAt` is when
 * the clock alone would change that.
 */
export function look<T extends Looked>(
  seen: T,
  now: Date,
): { readonly next: T; readonly againAt: Date | null } {
  const againAt = wordBy(seen, now);
  const next = againAt === null ? lookAt(seen, now) : awaitWord(seen, now);
  return { next: withWords(next, now), againAt };
}

/** Seconds that the executor is given to explain a report which leaves open what ended the command. */
const wordSeconds = 20;

/**
 * Until when the executor's word is waited for, where the agent's report leaves open what ended the command; `null`
 * where nothing is waited for. The agent knows of an end within a millisecond, a cluster says why seconds later.
 */
function wordBy({ report, observation, stopReason }: Looked, now: Date): Date | null {
  if (report === null || stopReason !== null || !isOpen(report)) return null;
  // What is absent has nothing more to say.
  if (observation.kind === 'absent' || wordOf(observation) !== null) return null;
  const since = report.phases.storedAt ?? report.phases.endedAt;
  if (since === null) return null;
  const left = since.getTime() + wordSeconds * 1_000 - now.getTime();
  // The agent's clock may be another one than ours, and must not have us wait for hours.
  return left > 0 && left <= 2 * wordSeconds * 1_000 ? new Date(now.getTime() + left) : null;
}

/** What an executor says about an end, where it says anything. */
function wordOf(observation: Observation): Classification | null {
  if (observation.kind === 'over') return observation.ending;
  return observation.kind === 'running' ? (observation.taken ?? null) : null;
}

/** Nothing ends yet; what is known of its beginning counts. */
function awaitWord<T extends Looked>(seen: T, now: Date): T {
  const startedAt = seen.report?.phases.startedAt ?? seen.saidStartedAt;
  return startedAt === null ? seen : advance(seen, { kind: 'running', startedAt }, now);
}

function lookAt<T extends Looked>(seen: T, now: Date): T {
  if (seen.report !== null) {
    const word = wordOf(seen.observation);
    return advance(seen, { kind: 'ended', report: seen.report, ...(word && { word }) }, now);
  }
  const begun =
    seen.saidStartedAt === null
      ? seen
      : advance(seen, { kind: 'running', startedAt: seen.saidStartedAt }, now);
  // Queued is stored before anything starts: what nobody has heard of was not started yet, and is started now.
  const unstarted =
    begun.state === 'queued' && begun.stopReason === null && seen.observation.kind === 'absent';
  if (!unstarted) return advance(begun, seen.observation, now);
  // What was there and is gone would be started for ever, were it not counted.
  return begun.seenAt === null ? begun : advance(begun, { kind: 'over', ending: goneBeforeItBegan }, now);
}

const goneBeforeItBegan: Classification = {
  class: 'lost',
  reason: 'What was made for it outside of AME is gone before it began, and nobody has said why.',
  exitCode: null,
  signal: null,
};

/** With what people are told of its wait and of an end that its memory explains, and with whether it is there. */
function withWords<T extends Looked>(seen: T, now: Date): T {
  const { observation, resources } = seen;
  if (seen.class === 'out_of_memory' && resources !== null)
    return { ...seen, reason: describeOutOfMemory(resources.memory) };
  if (seen.state !== 'queued' || observation.kind !== 'pending') return seen;
  const pendingWhy = observation.why ?? null;
  const seenAt = observation.exists ? (seen.seenAt ?? now) : seen.seenAt;
  return pendingWhy === seen.pendingWhy && seenAt === seen.seenAt ? seen : { ...seen, pendingWhy, seenAt };
}
