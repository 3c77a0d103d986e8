import { sameEntry, type Digest } from '../snapshot.ts';
import { entryAt } from './lookup.ts';
import { mergeTrees, type TreeStore } from './merge.ts';
import { pathText } from './path-text.ts';

/** A task of the plan as far as it matters to those after it. */
export type PastTask = {
  readonly name: string;
  readonly needs: readonly string[];
  /** What it left; `null` where it left nothing (it was skipped), so that what came before it shines through. */
  readonly output: Digest | null;
  /** What it started from, where that is known: saves merging it again. */
  readonly input?: Digest | null;
};

/** A path (bytes as latin1) that two tasks left differently, in the order of the plan. */
export type InputConflict = { readonly path: string; readonly tasks: readonly [string, string] };

export type Input =
  | { readonly kind: 'merged'; readonly root: Digest }
  | { readonly kind: 'conflict'; readonly conflicts: readonly InputConflict[] };

/** Conflicts for which the two tasks are looked up and named. */
const mostNamed = 10;

/**
 * The workspace of a task that comes after `needs`: the commit plus everything its ancestors left, as if all had
 * run in one directory. `past` holds at least all ancestors, each after its own predecessors.
 *
 * A workspace is known by the set of tasks whose work is in it. A set with one last task is that task's output;
 * any other is split in two halves by its last tasks and merged against the workspace of what the halves share.
 * Halving, rather than adding one task at a time, keeps the joint of 1,000 tasks at some ten passes over it.
 */
export async function inputOf(
  trees: TreeStore,
  commit: Digest,
  past: readonly PastTask[],
  needs: readonly string[],
): Promise<Input> {
  const history = historyOf(past, needs);
  const wanted = history.wanted;
  const known = new Map<bigint, Input>([[0n, { kind: 'merged', root: commit }]]);
  for (const task of history.tasks)
    if (task.input !== null) known.set(task.ancestors, { kind: 'merged', root: task.input });

  const workspaceOf = async (set: bigint): Promise<Input> => {
    const earlier = known.get(set);
    if (earlier !== undefined) return earlier;
    const input = await mergeHalves(set);
    known.set(set, input);
    return input;
  };

  const mergeHalves = async (set: bigint): Promise<Input> => {
    const last = lastTasks(history, set);
    const [only] = last;
    if (only !== undefined && last.length === 1) return { kind: 'merged', root: only.output };
    const middle = Math.ceil(last.length / 2);
    const sides = [last.slice(0, middle), last.slice(middle)] as const;
    const [left, right] = [unionOf(sides[0]), unionOf(sides[1])];
    // Awaited one after the other: a wide joint must not hold all its trees in memory at once.
    const ours = await workspaceOf(left);
    const theirs = await workspaceOf(right);
    const base = await workspaceOf(left & right);
    const stuck = [ours, theirs, base].filter((input) => input.kind === 'conflict');
    if (stuck.length > 0) return { kind: 'conflict', conflicts: stuck.flatMap((input) => input.conflicts) };
    if (ours.kind !== 'merged' || theirs.kind !== 'merged' || base.kind !== 'merged') return base;
    const merge = await mergeTrees(trees, base.root, ours.root, theirs.root);
    if (merge.kind === 'merged') return merge;
    const conflicts: InputConflict[] = [];
    for (const path of merge.paths.slice(0, mostNamed)) {
      const first = await writerOf(trees, history, sides[0], left & right, base.root, path);
      const second = await writerOf(trees, history, sides[1], left & right, base.root, path);
      conflicts.push({
        path,
        tasks: first.index < second.index ? [first.name, second.name] : [second.name, first.name],
      });
    }
    return { kind: 'conflict', conflicts };
  };

  return workspaceOf(wanted);
}

/** One sentence for people that names files and tasks. */
export function describeConflicts(conflicts: readonly InputConflict[]): string {
  const shown = conflicts
    .slice(0, mostNamed)
    .map(({ path, tasks: [a, b] }) => `${pathText(path)} (${a} and ${b})`);
  return `Tasks that do not wait for each other left the same file differently: ${shown.join(', ')}. Let one of them need the other, or write to different files.`;
}

/** A task that left something; `set` is the task and all its ancestors, one bit each. */
type Step = {
  readonly index: number;
  readonly name: string;
  readonly output: Digest;
  readonly input: Digest | null;
  readonly ancestors: bigint;
  readonly set: bigint;
};

type History = { readonly tasks: readonly Step[]; readonly wanted: bigint };

/** The ancestors that left something, numbered in the order of the plan. */
function historyOf(past: readonly PastTask[], needs: readonly string[]): History {
  const needed = new Set(needs);
  for (const task of past.toReversed())
    if (needed.has(task.name)) for (const name of task.needs) needed.add(name);
  const tasks: Step[] = [];
  const sets = new Map<string, bigint>();
  const setOf = (names: readonly string[]) => names.reduce((set, name) => set | (sets.get(name) ?? 0n), 0n);
  for (const { name, needs, output, input } of past) {
    if (!needed.has(name)) continue;
    const ancestors = setOf(needs);
    if (output === null) {
      sets.set(name, ancestors);
      continue;
    }
    const index = tasks.length;
    const set = ancestors | (1n << BigInt(index));
    sets.set(name, set);
    tasks.push({ index, name, output, input: input ?? null, ancestors, set });
  }
  const unknown = [...needed].filter((name) => !sets.has(name));
  if (unknown.length > 0) throw new Error(`tasks that are not in the past: ${unknown.join(', ')}`);
  return { tasks, wanted: setOf(needs) };
}

/** The tasks of a set that no other task of it comes after, in the order of the plan. */
function lastTasks(history: History, set: bigint): readonly Step[] {
  const last: Step[] = [];
  let covered = 0n;
  for (const task of latestFirst(history, set)) {
    // They stand near the end, so that a long history is rarely walked through.
    if (covered === set) break;
    if (isIn(task, covered)) continue;
    last.push(task);
    covered |= task.set;
  }
  return last.toReversed();
}

function* latestFirst(history: History, set: bigint): Generator<Step> {
  const bits = set.toString(2);
  for (let index = bits.length - 1; index >= 0; index--) {
    const task = history.tasks[index];
    if (task !== undefined && bits.at(-1 - index) === '1') yield task;
  }
}

function isIn(task: Step, set: bigint): boolean {
  return ((set >> BigInt(task.index)) & 1n) === 1n;
}

function unionOf(tasks: readonly Step[]): bigint {
  return tasks.reduce((set, task) => set | task.set, 0n);
}

/**
 * Which task of one side of a conflict left a path as it is: the first of its last tasks in which the path, or
 * else the directory around it, differs from the base, and from there back to where it came from.
 */
async function writerOf(
  trees: TreeStore,
  history: History,
  side: readonly Step[],
  shared: bigint,
  base: Digest,
  path: string,
): Promise<Step> {
  for (let around = path; around !== ''; around = around.slice(0, Math.max(0, around.lastIndexOf('/')))) {
    const before = await entryAt(trees.read, base, around);
    for (const last of side) {
      const left = await entryAt(trees.read, last.output, around);
      if (sameEntry(before, left)) continue;
      let writer = last;
      // Latest first: the nearest ancestor that already had it is asked next, until none had.
      for (const earlier of latestFirst(history, last.ancestors & ~shared))
        if (
          isIn(earlier, writer.ancestors) &&
          sameEntry(await entryAt(trees.read, earlier.output, around), left)
        )
          writer = earlier;
      return writer;
    }
  }
  const [first] = side;
  if (first === undefined) throw new Error('a side of a merge has no task');
  return first;
}
