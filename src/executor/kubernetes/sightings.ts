import type { JobFacts, PodFacts } from '../../core/outcome/cluster-facts.ts';
import { wholeUnits } from '../../core/quantity.ts';
import type { AskedResources } from '../../core/resources.ts';
import { readAsked } from './asked.ts';
import type { JobObject, PodObject } from './jobs.ts';
import { attemptOf, projectOf } from './names.ts';
import { jobFactsOf, podFactsOf } from './observe.ts';

export type SeenJob = {
  readonly uid: string;
  readonly facts: JobFacts;
  readonly asked: AskedResources;
  /** Bytes that its task asks of a node's disk: less than it may write where the file says nothing, and what it inherits. */
  readonly diskBytes: number;
  readonly image: string;
  readonly project: number | null;
};

export type SeenPod = {
  readonly uid: string;
  readonly name: string;
  readonly project: number | null;
  readonly facts: PodFacts;
};

/** What was seen of one attempt. */
export type Sighting = { readonly job: SeenJob | null; readonly pods: readonly SeenPod[] };

/** Objects of one kind, kept as the little that is looked at: a Job and its pod as they come are 20 KB of text. */
export type Sightings<Object> = {
  put(object: Object): void;
  remove(object: Object): void;
  /** What is put from here on stays; at `settle` everything else goes. */
  begin(): void;
  settle(): void;
};

/** What a watch has seen of all attempts of this AME. */
export type Seen = {
  readonly jobs: Sightings<JobObject>;
  readonly pods: Sightings<PodObject>;
  of(attempt: number): Sighting;
  attempts(): readonly number[];
  /** That a Job was asked to go, before the watch says it. */
  deleting(attempt: number): void;
};

type Kept<T> = { readonly attempt: number; value: T; text: string; round: number };

/** Calls `changed` with the attempt whenever what is looked at of it is not what it was. */
export function createSeen(changed: (attempt: number) => void): Seen {
  const byAttempt = new Map<number, { job: SeenJob | null; readonly pods: Map<string, SeenPod> }>();

  function entryOf(attempt: number): { job: SeenJob | null; readonly pods: Map<string, SeenPod> } {
    const entry = byAttempt.get(attempt) ?? { job: null, pods: new Map() };
    byAttempt.set(attempt, entry);
    return entry;
  }

  function tidy(attempt: number): void {
    const entry = byAttempt.get(attempt);
    if (entry && entry.job === null && entry.pods.size === 0) byAttempt.delete(attempt);
  }

  const jobs = createSightings<JobObject, SeenJob>(seenJobOf, changed, (attempt, uid, job) => {
    const entry = entryOf(attempt);
    // One that is gone does not take its successor with it.
    if (job !== null || entry.job?.uid === uid) entry.job = job;
    tidy(attempt);
  });
  const pods = createSightings<PodObject, SeenPod>(seenPodOf, changed, (attempt, uid, pod) => {
    const entry = entryOf(attempt);
    if (pod === null) entry.pods.delete(uid);
    else entry.pods.set(uid, pod);
    tidy(attempt);
  });
  return {
    jobs,
    pods,
    of: (attempt) => {
      const entry = byAttempt.get(attempt);
      return { job: entry?.job ?? null, pods: [...(entry?.pods.values() ?? [])] };
    },
    attempts: () => [...byAttempt.entries()].flatMap(([attempt, { job }]) => (job === null ? [] : [attempt])),
    deleting: (attempt) => {
      const entry = byAttempt.get(attempt);
      if (entry?.job) entry.job = { ...entry.job, facts: { ...entry.job.facts, deleting: true } };
    },
  };
}

function createSightings<Object extends JobObject | PodObject, T>(
  reduce: (object: Object) => T,
  changed: (attempt: number) => void,
  store: (attempt: number, uid: string, value: T | null) => void,
): Sightings<Object> {
  const kept = new Map<string, Kept<T>>();
  let round = 0;

  function drop(uid: string): void {
    const old = kept.get(uid);
    if (old === undefined) return;
    kept.delete(uid);
    store(old.attempt, uid, null);
    changed(old.attempt);
  }

  return {
    put(object) {
      const attempt = attemptOf(object.metadata?.labels);
      const uid = object.metadata?.uid;
      if (attempt === null || uid === undefined) return;
      const value = reduce(object);
      const text = JSON.stringify(value);
      const old = kept.get(uid);
      if (old !== undefined && old.text === text) {
        old.round = round;
        return;
      }
      kept.set(uid, { attempt, value, text, round });
      store(attempt, uid, value);
      changed(attempt);
    },
    remove(object) {
      drop(object.metadata?.uid ?? '');
    },
    begin() {
      round += 1;
    },
    settle() {
      for (const [uid, entry] of kept) if (entry.round !== round) drop(uid);
    },
  };
}

/** A Job as far as it is looked at. */
export function seenJobOf(job: JobObject): SeenJob {
  const task = job.spec?.template?.spec?.containers?.find(({ name }) => name === 'task');
  return {
    uid: job.metadata?.uid ?? '',
    facts: jobFactsOf(job),
    asked: readAsked(job.metadata?.annotations),
    diskBytes: Number(wholeUnits(task?.resources?.requests?.['ephemeral-storage'] ?? '') ?? 0n),
    image: task?.image ?? '',
    project: projectOf(job.metadata?.labels),
  };
}

export function seenPodOf(pod: PodObject): SeenPod {
  return {
    uid: pod.metadata?.uid ?? '',
    name: pod.metadata?.name ?? '',
    project: projectOf(pod.metadata?.labels),
    facts: podFactsOf(pod),
  };
}
