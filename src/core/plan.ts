import { createHash } from 'node:crypto';
import { topologicalOrder } from './plan/order.ts';
import { PlanError } from './plan/plan-error.ts';
import { expandTask, type TaskNode } from './plan/tree.ts';
import { split } from './plan/variables.ts';
import type {
  CommandTask,
  Condition,
  EnvVariable,
  Project,
  Resources,
  Retries,
  SecretVariable,
} from './project.ts';

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
  /**
   * Outermost first; the last one is the task's own. Those of enclosing pipelines are left out where they
   * follow: a `success` task with predecessors in its own pipeline is skipped because these were skipped.
   */
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

/** A day: how long an attempt may run where the file says nothing. Seconds. */
export const defaultRunTimeout = 86_400;

/** Bounds what small files with many references could grow to: predecessors in all, and characters of the tasks. */
const maxLinks = 1_000_000;
const maxCharacters = 16 * 1024 * 1024;

type Link = { readonly from: string; readonly why: Edge['why']; readonly line: number };

/**
 * The graph that running one task of a file means: references followed, pipelines opened, everything said once.
 * The project must have passed its check; what only shows here (see `PlanErrorCode`) throws `PlanError`.
 */
export function planTask(
  project: Project,
  taskName: string,
): { readonly plan: Plan; readonly edges: Edge[] } {
  const root = expandTask(project, taskName);
  const tasks: PlannedTask[] = [];
  const linksOf = new Map<string, readonly Link[]>();
  const deadlines: Deadline[] = [];
  let links = 0;
  let characters = 0;

  function add(node: TaskNode, task: CommandTask, own: PlannedTask, from: readonly Link[]): void {
    links += from.length + own.gates.reduce((sum, gate) => sum + gate.needs.length, 0);
    characters += task.script.length + JSON.stringify([own.env, own.secrets, own.artifacts]).length;
    if (links > maxLinks || characters > maxCharacters) {
      throw new PlanError('plan-too-large', `"${taskName}" grows too large at its task "${node.name}".`);
    }
    tasks.push(own);
    linksOf.set(node.name, from);
  }

  function open(node: TaskNode, gates: readonly Gate[], inherited: readonly Link[]): void {
    if (node.body.kind === 'command') {
      const { task, variables } = node.body;
      const needs = inherited.map((link) => link.from);
      add(node, task, { ...resolve(node.name, task), ...split(variables), needs, gates }, inherited);
      return;
    }
    const { timeout, children } = node.body;
    if (timeout.run !== null || timeout.queue !== null) deadlines.push({ scope: node.name, ...timeout });
    const fromOutside = inherited.map((link) => ({ ...link, why: 'pipeline' as const }));
    for (const [child, own] of linkSiblings(children)) {
      const gate: Gate = { if: child.if, scope: node.name, needs: own.map((link) => link.from) };
      const follows = own.length > 0 && child.if === 'success';
      open(child, follows ? [gate] : [...gates, gate], own.length > 0 ? own : fromOutside);
    }
  }

  const gate: Gate = { if: root.if, scope: '', needs: [] };
  // Nothing comes before a whole plan, so only `failure` says anything about it.
  open(root, root.body.kind === 'command' || root.if === 'failure' ? [gate] : [], []);

  const ordered = topologicalOrder(tasks);
  if (ordered === null) throw new PlanError('needs-cycle', `The tasks of "${taskName}" wait for each other.`);
  const edges = ordered.flatMap(({ name }) =>
    (linksOf.get(name) ?? []).map((link) => ({ ...link, to: name })),
  );
  return { plan: { project: project.name, task: taskName, tasks: ordered, deadlines }, edges };
}

function resolve(name: string, task: CommandTask): Omit<PlannedTask, 'env' | 'secrets' | 'needs' | 'gates'> {
  const { script, resources, image, retries, artifacts } = task;
  const timeout = { run: task.timeout.run ?? defaultRunTimeout, queue: task.timeout.queue };
  return { name, script, resources, image, timeout, retries, artifacts };
}

/** What each task of one pipeline comes after within it: what it needs, or the task written above it. */
function linkSiblings(children: readonly TaskNode[]): (readonly [TaskNode, readonly Link[]])[] {
  const byName = new Map(children.map((child) => [child.localName, child]));
  return children.map((child, at) => {
    const above = at === 0 ? undefined : children[at - 1];
    const needed: readonly (readonly [TaskNode | undefined, Edge['why'], number])[] =
      child.needs === null
        ? [[above, 'order', child.line]]
        : child.needs.map(({ name, position }) => [byName.get(name), 'needs', position.line]);
    const links = new Map<string, Link>();
    for (const [before, why, line] of needed) {
      for (const from of before === undefined ? [] : lastTasks(before)) {
        if (!links.has(from)) links.set(from, { from, why, line });
      }
    }
    return [child, [...links.values()]];
  });
}

/** The commands after which a task is over: those that nothing in the same pipeline waits for. */
function lastTasks(node: TaskNode): readonly string[] {
  if (node.body.kind === 'command') return [node.name];
  const { children } = node.body;
  const waitedFor = new Set<string>();
  children.forEach((child, at) => {
    const above = at === 0 ? undefined : children[at - 1];
    if (child.needs !== null) for (const { name } of child.needs) waitedFor.add(name);
    else if (above !== undefined) waitedFor.add(above.localName);
  });
  return children.filter((child) => !waitedFor.has(child.localName)).flatMap(lastTasks);
}

/** SHA-256 in hex of everything a plan says. Keys are sorted first: jsonb forgets their order, arrays keep theirs. */
export function planDigest(plan: Plan): string {
  return createHash('sha256').update(encodeCanonically(plan)).digest('hex');
}

function encodeCanonically(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(encodeCanonically).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${encodeCanonically(item)}`).join(',')}}`;
}
