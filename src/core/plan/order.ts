/** The smallest of a set of numbers, again and again: a binary heap. */
function pushSmallest(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] ?? 0;
    if (above <= value) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = value;
}

function popSmallest(heap: number[]): number | undefined {
  const smallest = heap[0];
  const value = heap.pop();
  if (value === undefined || heap.length === 0) return smallest;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if ((heap[child + 1] ?? Infinity) < (heap[child] ?? Infinity)) child++;
    const below = heap[child];
    if (below === undefined || below >= value) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = value;
  return smallest;
}

/**
 * Puts every item after all that it needs; whatever is free to go next goes in the order given.
 * Answers `null` where the needs form a circle. Takes n log n in items and linear time in needs.
 */
export function topologicalOrder<T extends { readonly name: string; readonly needs: readonly string[] }>(
  items: readonly T[],
): T[] | null {
  const index = new Map(items.map((item, at) => [item.name, at]));
  const followers: number[][] = items.map(() => []);
  const open = items.map((item, at) => {
    for (const need of item.needs) followers[index.get(need) ?? -1]?.push(at);
    return item.needs.length;
  });
  const free: number[] = [];
  open.forEach((count, at) => count === 0 && pushSmallest(free, at));
  const ordered: T[] = [];
  for (let at = popSmallest(free); at !== undefined; at = popSmallest(free)) {
    const item = items[at];
    if (item !== undefined) ordered.push(item);
    for (const follower of followers[at] ?? []) {
      const left = (open[follower] ?? 0) - 1;
      open[follower] = left;
      if (left === 0) pushSmallest(free, follower);
    }
  }
  return ordered.length === items.length ? ordered : null;
}
