/** A symbolic link: its path and its target, both bytes as latin1. */
export type Link = { readonly path: string; readonly target: string };

/** As many links as Linux follows on one path; with more it gives up, and nothing lies behind them. */
const mostFollowed = 40;
/** Names looked at for one link. Real ones need a dozen; a hostile one is refused instead of thought about. */
const mostNames = 10_000;

/**
 * Those links of a tree that lead out of it: absolute ones, and ones that climb above the root on their way, also
 * through other links. Nothing on disk is asked: a link to what is not there leads nowhere and stays.
 */
export function leavingLinks(links: readonly Link[]): readonly Link[] {
  const targets = new Map(links.map((link) => [link.path, link.target]));
  const longest = links.reduce((length, { path }) => Math.max(length, path.length), 0);
  return links.filter((link) => leaves(link, targets, longest));
}

function leaves(link: Link, targets: ReadonlyMap<string, string>, longest: number): boolean {
  // Paths of the directories that we are in, from just below the root; '' at the bottom is the root itself.
  const at: string[] = [];
  // What is still to be walked, the next name last.
  const ahead = link.path.split('/').toReversed();
  let followed = 0;
  for (let names = 0; ; names += 1) {
    const name = ahead.pop();
    if (name === undefined) return false;
    if (names > mostNames) return true;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (at.pop() === undefined) return true;
      continue;
    }
    const parent = at.at(-1);
    // Deeper than any link only the depth matters; a maze would make the paths grow without end.
    const path = parent === undefined ? name : parent.length > longest ? parent : `${parent}/${name}`;
    const target = path.length > longest ? undefined : targets.get(path);
    if (target === undefined) {
      at.push(path);
      continue;
    }
    if (target.startsWith('/')) return true;
    followed += 1;
    if (followed > mostFollowed) return false;
    ahead.push(...target.split('/').toReversed());
  }
}
