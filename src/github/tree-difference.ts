import { asRepository } from './connect.ts';
import type { Github, GithubRepository } from './connection.ts';

type Entry = {
  readonly path: string;
  readonly mode: string;
  readonly type: string;
  readonly sha: string;
};

/** GitHub lists up to 100,000 entries of a tree at once; below that, each directory that differs takes two requests. */
const mostRequests = 40;

/** One directory, or the root, on both sides; `null` where it is not. */
type Pair = { readonly from: string | null; readonly to: string | null; readonly prefix: string };

/**
 * Paths whose content, mode or presence differs between two trees or commits; submodules count, directories by what
 * is in them. Exact for any size: where GitHub cuts a list short, it walks below, past directories that are equal.
 * Two requests where nothing is cut short; `null` where it would take more than forty.
 */
export async function treeDifference(
  github: Github,
  repository: GithubRepository,
  from: string,
  to: string,
): Promise<readonly string[] | null> {
  const paths = new Set<string>();
  const waiting: Pair[] = [{ from, to, prefix: '' }];
  let requests = 0;
  const list = async (pair: Pair, recursive: boolean): Promise<readonly [Listing, Listing]> => {
    requests += sidesOf(pair);
    const one = async (tree: string | null): Promise<Listing> =>
      tree === null ? nothing : await listTree(github, repository, tree, recursive);
    return await Promise.all([one(pair.from), one(pair.to)]);
  };
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    const needed = [pair, ...waiting].reduce((sum, one) => sum + sidesOf(one), 0);
    if (requests + needed > mostRequests) return null;
    let [before, after] = await list(pair, true);
    if (before.truncated || after.truncated) {
      // What was cut short says nothing: this level alone, and its directories one by one.
      [before, after] = await list(pair, false);
      if (before.truncated || after.truncated) return null;
      waiting.push(...differingDirectories(before.entries, after.entries, pair.prefix));
    }
    for (const path of differingFiles(before.entries, after.entries)) paths.add(pair.prefix + path);
  }
  return [...paths].sort();
}

function sidesOf({ from, to }: Pair): number {
  return (from === null ? 0 : 1) + (to === null ? 0 : 1);
}

type Listing = { readonly entries: readonly Entry[]; readonly truncated: boolean };
const nothing: Listing = { entries: [], truncated: false };

async function listTree(
  github: Github,
  repository: GithubRepository,
  tree: string,
  recursive: boolean,
): Promise<Listing> {
  const { owner, name: repo } = repository;
  // GitHub takes any value at all, `0` too, for yes: only leaving it out says no.
  const params = { owner, repo, tree_sha: tree, ...(recursive ? { recursive: '1' } : {}) };
  const route = 'GET /repos/{owner}/{repo}/git/trees/{tree_sha}';
  const { data } = await asRepository(github, repository, { contents: 'read' }, route, params);
  return { entries: data.tree, truncated: data.truncated };
}

function differingDirectories(
  before: readonly Entry[],
  after: readonly Entry[],
  prefix: string,
): readonly Pair[] {
  const trees = (entries: readonly Entry[]): Map<string, string> =>
    new Map(entries.filter(({ type }) => type === 'tree').map(({ path, sha }) => [path, sha]));
  const [one, other] = [trees(before), trees(after)];
  return [...new Set([...one.keys(), ...other.keys()])]
    .map((path) => ({
      from: one.get(path) ?? null,
      to: other.get(path) ?? null,
      prefix: `${prefix}${path}/`,
    }))
    .filter(({ from, to }) => from !== to);
}

/** Entries are compared whole, so that two paths that GitHub can only show alike do not hide each other. */
function differingFiles(before: readonly Entry[], after: readonly Entry[]): readonly string[] {
  const files = (entries: readonly Entry[]): ReadonlyMap<string, string> =>
    new Map(
      entries
        .filter(({ type }) => type !== 'tree')
        .map(({ mode, sha, path }) => [`${mode} ${sha} ${path}`, path]),
    );
  const [one, other] = [files(before), files(after)];
  const left = [...one].filter(([key]) => !other.has(key));
  const right = [...other].filter(([key]) => !one.has(key));
  return [...left, ...right].map(([, path]) => path);
}
