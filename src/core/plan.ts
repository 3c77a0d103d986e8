import type { Condition, EnvVariable, Resources, Retries, SecretVariable } from './project.ts';

/**
 * A condition that must hold before a task starts. `scope` is '' for the whole plan or the name of a
 * pipeline inside it; the condition looks at all ancestors within that scope that `needs` leads to.
 */
export type Gate = { readonly if: Condition; readonly scope: string; readonly needs: readonly string[] };

/** One command of a plan with everything resolved; names of nested tasks are written `outer/inner`. */
export type PlannedTask = {
  readonly name: string;
  readonly script: string;
  readonly env: readonly EnvVariable[];
  readonly secrets: readonly SecretVariable[];
  readonly resources: Resources;
  readonly image: string | null;
  /** Seconds. */
  readonly timeout: { readonly run: number; readonly queue: number | null };
  readonly retries: Retries;
  readonly artifacts: readonly string[] | null;
  /** Direct predecessors, by name. */
  readonly needs: readonly string[];
  /** Outermost first; the last one is the task's own. */
  readonly gates: readonly Gate[];
};

/** A pipeline inside the plan whose time is bounded as a whole; seconds. */
export type Deadline = { readonly scope: string; readonly run: number | null; readonly queue: number | null };

/** The frozen graph of one run, in an order in which every task stands after its predecessors. */
export type Plan = {
  readonly project: string;
  readonly task: string;
  readonly tasks: readonly PlannedTask[];
  readonly deadlines: readonly Deadline[];
};

/** Why a task comes after another one; `line` is the line of the file that says so. */
export type Edge = {
  readonly from: string;
  readonly to: string;
  readonly why: 'order' | 'needs' | 'pipeline';
  readonly line: number;
};
