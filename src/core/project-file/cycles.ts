import type { Reference } from '../project.ts';

/** `from` waits for `to`; `reference` is where the file says so, `null` where the order of the list does. */
export type Link = { readonly to: string; readonly reference: Reference | null };
type CycleLink = Link & { readonly from: string };

/**
 * The cycles of a graph, one for each group of tasks that all wait for each other, and each as short as can be;
 * a task that waits for itself is one more, since breaking the larger one does not free it. A cycle begins with the link whose reference stands first in the file among all of its group.
 */
export function findCycles(
  names: readonly string[],
  linksOf: (name: string) => readonly Link[],
): readonly (readonly CycleLink[])[] {
  const known = new Set(names);
  const graph = new Map(names.map((name) => [name, linksOf(name).filter(({ to }) => known.has(to))]));
  return groupsOf(graph).flatMap((group) => {
    const links = [...group].flatMap((from) =>
      (graph.get(from) ?? []).filter(({ to }) => group.has(to)).map((link) => ({ ...link, from })),
    );
    const loops = [...group].flatMap(
      (name) => links.find(({ from, to }) => from === name && to === name) ?? [],
    );
    const between = links.filter(({ from, to }) => from !== to);
    const first = between.filter(({ reference }) => reference !== null).sort(byPosition)[0];
    const larger = first === undefined ? [] : [[first, ...shortestWay(first.to, first.from, between)]];
    return [...larger, ...loops.map((loop) => [loop])];
  });
}

function byPosition(one: CycleLink, other: CycleLink): number {
  const a = one.reference?.position ?? { line: 0, column: 0 };
  const b = other.reference?.position ?? { line: 0, column: 0 };
  return a.line - b.line || a.column - b.column;
}

/** The links that lead from one name to another, fewest first found. */
function shortestWay(from: string, to: string, links: readonly CycleLink[]): readonly CycleLink[] {
  const cameBy = new Map<string, CycleLink>();
  const reached = [from];
  for (const name of reached) {
    if (name === to) break;
    for (const link of links) {
      if (link.from !== name || link.to === from || cameBy.has(link.to)) continue;
      cameBy.set(link.to, link);
      reached.push(link.to);
    }
  }
  const way: CycleLink[] = [];
  for (let name = to; name !== from;) {
    const link = cameBy.get(name);
    if (link === undefined) break;
    way.unshift(link);
    name = link.from;
  }
  return way;
}

/** Groups of names that all reach each other, by peeling off what has nothing before it or nothing after it. */
function groupsOf(graph: ReadonlyMap<string, readonly Link[]>): readonly ReadonlySet<string>[] {
  const seen = new Set<string>();
  const finished: string[] = [];
  for (const name of graph.keys())
    walk(name, (at) => (graph.get(at) ?? []).map(({ to }) => to), seen, finished);
  const back = new Map<string, string[]>();
  for (const [from, links] of graph)
    for (const { to } of links) back.set(to, [...(back.get(to) ?? []), from]);
  const grouped = new Set<string>();
  return finished.toReversed().flatMap((name) => {
    const group: string[] = [];
    walk(name, (at) => back.get(at) ?? [], grouped, group);
    const isLoop = group.length > 1 || (graph.get(name) ?? []).some(({ to }) => to === name);
    return group.length > 0 && isLoop ? [new Set(group)] : [];
  });
}

/** Goes depth first over what is not seen yet and notes names as they are left; without recursion, since chains may be long. */
function walk(
  start: string,
  next: (name: string) => readonly string[],
  seen: Set<string>,
  left: string[],
): void {
  if (seen.has(start)) return;
  seen.add(start);
  const open = [{ name: start, rest: [...next(start)] }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const name = top.rest.shift();
    if (name === undefined) {
      left.push(top.name);
      open.pop();
    } else if (!seen.has(name)) {
      seen.add(name);
      open.push({ name, rest: [...next(name)] });
    }
  }
}
