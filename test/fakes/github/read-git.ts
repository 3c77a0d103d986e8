import { gitBytes, gitText, tryGitBytes } from './git.ts';
import { askLasting, needLasting } from './lasting.ts';
import { readRef, type FakeRepository } from './repository.ts';

export type CommitFacts = {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: { readonly name: string; readonly email: string; readonly date: string };
  readonly committer: { readonly name: string; readonly email: string; readonly date: string };
  readonly message: string;
};

export type TreeFacts = {
  readonly path: string;
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly sha: string;
  readonly size: number | null;
};

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag';

const format = `--format=${['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join('%x01')}`;

/** The commits that `git log` names, in its order. */
export async function readCommits(
  directory: string,
  args: readonly string[],
): Promise<readonly CommitFacts[]> {
  return parseCommits(await gitBytes(directory, ['log', '-z', format, ...args, '--']));
}

function parseCommits(out: Buffer): readonly CommitFacts[] {
  return out
    .toString('utf8')
    .trim()
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [
        sha = '',
        tree = '',
        parents = '',
        an = '',
        ae = '',
        ad = '',
        cn = '',
        ce = '',
        cd = '',
        ...rest
      ] = line.split('\u0001');
      return {
        sha,
        tree,
        parents: parents === '' ? [] : parents.split(' '),
        author: { name: an, email: ae, date: utc(ad) },
        committer: { name: cn, email: ce, date: utc(cd) },
        message: rest.join('\u0001').trimEnd(),
      };
    });
}

export async function readCommit(directory: string, sha: string): Promise<CommitFacts> {
  const [commit] = parseCommits(await needLasting(directory, ['log', '-z', format, '-1', sha, '--']));
  if (!commit) throw new Error(`no commit ${sha}`);
  return commit;
}

function utc(date: string): string {
  return new Date(date).toISOString().replace(/\.\d+Z$/, 'Z');
}

export async function readTree(
  directory: string,
  tree: string,
  recursive: boolean,
): Promise<readonly TreeFacts[]> {
  const out = await needLasting(directory, ['ls-tree', '-z', '-l', ...(recursive ? ['-r', '-t'] : []), tree]);
  return out
    .toString('utf8')
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', type = '', sha = '', size = ''] = line.slice(0, tab).split(/ +/);
      return {
        path: line.slice(tab + 1),
        mode,
        type: type === 'tree' || type === 'commit' ? type : 'blob',
        sha,
        size: size === '-' ? null : Number(size),
      };
    });
}

export async function readType(directory: string, sha: string): Promise<ObjectType | null> {
  if (!/^[0-9a-f]{40}$/.test(sha)) return null;
  const out = (await askLasting(directory, ['cat-file', '-t', sha]))?.toString('utf8').trim();
  return out === 'blob' || out === 'tree' || out === 'commit' || out === 'tag' ? out : null;
}

export function readBlob(directory: string, sha: string): Promise<Buffer> {
  return needLasting(directory, ['cat-file', 'blob', sha]);
}

/** The object that a git expression names, as `main`, `<sha>:ame.yaml`; null where there is none. */
export async function resolve(directory: string, expression: string): Promise<string | null> {
  if (expression.startsWith('-') || expression.includes('\n')) return null;
  const ask = /^[0-9a-f]{40}(:|\^\{)/.test(expression) ? askLasting : tryGitBytes;
  const out = await ask(directory, ['rev-parse', '--verify', '--quiet', expression]);
  return out?.toString('utf8').trim() || null;
}

/** The commit behind a sha, a branch, a tag or a full name of a ref. */
export async function findCommit(repository: FakeRepository, ref: string): Promise<string | null> {
  const { directory } = repository;
  if (/^[0-9a-f]{40}$/.test(ref)) return resolve(directory, `${ref}^{commit}`);
  for (const name of [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/${ref}`, ref]) {
    const sha = name.startsWith('refs/') ? await readRef(directory, name) : null;
    if (sha !== null) return resolve(directory, `${sha}^{commit}`);
  }
  return ref === 'HEAD' ? findCommit(repository, repository.defaultBranch) : null;
}

export type ChangedFile = {
  readonly path: string;
  readonly previous: string | null;
  readonly status: 'added' | 'removed' | 'modified' | 'renamed' | 'changed';
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
};

const statuses: Readonly<Record<string, ChangedFile['status']>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  T: 'changed',
};

/** What changed between two trees, with renames found as GitHub finds them. */
export async function readChanges(
  directory: string,
  from: string,
  to: string,
): Promise<readonly ChangedFile[]> {
  const raw = await needLasting(directory, ['diff-tree', '-r', '-z', '-M', '--raw', '--no-abbrev', from, to]);
  const fields = raw.toString('utf8').split('\0');
  const files: ChangedFile[] = [];
  for (let at = 0; (fields[at] ?? '') !== '';) {
    const [, , before = '', after = '', letter = ''] = (fields[at] ?? '').split(' ');
    const renamed = letter.startsWith('R');
    const status = statuses[letter.charAt(0)] ?? 'modified';
    files.push({
      path: fields[at + (renamed ? 2 : 1)] ?? '',
      previous: renamed ? (fields[at + 1] ?? '') : null,
      status,
      sha: status === 'removed' ? before : after,
      // Lines are not counted: nobody may decide by them.
      additions: status === 'removed' || renamed ? 0 : 1,
      deletions: status === 'added' || renamed ? 0 : 1,
    });
    at += renamed ? 3 : 2;
  }
  return files;
}

export async function mergeBase(directory: string, base: string, head: string): Promise<string | null> {
  const out = await tryGitBytes(directory, ['merge-base', base, head]);
  return out?.toString('utf8').trim() || null;
}

export async function countCommits(directory: string, from: string, to: string): Promise<number> {
  return Number(await gitText(directory, ['rev-list', '--count', `${from}..${to}`]));
}
