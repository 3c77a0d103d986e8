/** A task of the plan as far as it matters to the size of what comes after it. */
export type SizedTask = {
  readonly name: string;
  readonly needs: readonly string[];
  /** Bytes of what it left, all of it and what of that was new or changed; `null` where it left nothing. */
  readonly left: { readonly all: number; readonly changed: number } | null;
};

/**
 * At most how many bytes the workspace of a task that comes after `needs` holds: all that one task left, or else the
 * commit and whatever its ancestors added to it, each of them once, however many ways lead from it. `past` holds at
 * least all ancestors, each after its own predecessors.
 */
export function inheritedBytes(
  commitBytes: number,
  past: readonly SizedTask[],
  needs: readonly string[],
): number {
  const byName = new Map(past.map((task) => [task.name, task]));
  const ancestors = new Set(needs);
  for (const task of past.toReversed())
    if (ancestors.has(task.name)) for (const need of task.needs) ancestors.add(need);
  const added = [...ancestors].reduce(
    (sum, name) => sum + (byName.get(name)?.left?.changed ?? 0),
    commitBytes,
  );
  const last = lastOf(byName, needs);
  if (last.length === 0) return commitBytes;
  const whole = last.reduce((sum, task) => sum + (task.left?.all ?? 0), 0);
  return Math.min(added, whole);
}

/** Those whose work stands directly in the workspace: through what left nothing, what came before it shines. */
function lastOf(byName: ReadonlyMap<string, SizedTask>, needs: readonly string[]): readonly SizedTask[] {
  const last = new Set<SizedTask>();
  const seen = new Set<string>();
  const open = [...needs];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const task = byName.get(name);
    if (task === undefined || seen.has(name)) continue;
    seen.add(name);
    if (task.left === null) open.push(...task.needs);
    else last.add(task);
  }
  return [...last];
}
