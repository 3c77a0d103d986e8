import type { AskedResources } from '../../resources.ts';
import type { OutcomeClass } from '../classes.ts';
import type { ClusterFacts, ClusterRoom } from '../cluster-facts.ts';

/** What is known beside the facts, to say what they mean for this attempt. */
export type ClusterCircumstances = {
  readonly asked: AskedResources;
  /** Of the task, as its pod has it. */
  readonly image: string;
  readonly room: ClusterRoom;
  /** By the cluster's clock, such as the `Date` of its API server's answers says; ours where that is not known. */
  readonly now: Date;
  /** How long what no node can ever hold waits for an autoscaler to bring one that can. */
  readonly unschedulableAfterSeconds: number;
  /** Names of the project's secrets that AME has, and has given to the cluster; empty where nobody looked. */
  readonly knownSecrets: readonly string[];
};

/**
 * One row of the table. `over`: nothing more will happen. `leaving`: it is being taken away, and its agent may still
 * speak; over where nothing of it has begun or nobody can speak any more. `waits`: it has not begun.
 */
export type ClusterRule = {
  /** Never changes its meaning. */
  readonly id: string;
  readonly says: 'over' | 'leaving' | 'waits';
  /** Of what it ends as; `null` for what waits. */
  readonly class: OutcomeClass | null;
  /** Where an administrator sees it, for the docs. */
  readonly shows: string;
  /** What to tell people where it holds, else `null`. */
  readonly message: (facts: ClusterFacts, known: ClusterCircumstances) => string | null;
};
