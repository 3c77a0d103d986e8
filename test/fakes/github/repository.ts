import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gitText, tryGitBytes } from './git.ts';
import type { FakeAccount, FakeCheckRun, FakePull, World } from './world.ts';

export type FileContent =
  | string
  | Uint8Array
  | {
      readonly mode: '100644' | '100755' | '120000' | '160000';
      /** Of a submodule: the sha. */ readonly content: string | Uint8Array;
    };
/** Paths to their new content; `null` deletes. */
export type Files = Readonly<Record<string, FileContent | null>>;

export type CommitOptions = {
  /** The default branch where unsaid. */
  readonly branch?: string;
  readonly message?: string;
  /** What the commit stands on: the branch's head where unsaid, or the default branch's for a new one. `null`: nothing. */
  readonly from?: string | null;
  /** A second parent. */
  readonly merge?: string;
};

const none = '0'.repeat(40);

/** What a push moved; both shas of a branch that is made or deleted are told as GitHub does, with zeros. */
export type Pushed = {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly forced: boolean;
};

export type FakeRepository = {
  readonly id: number;
  /** The bare git repository. */
  readonly directory: string;
  owner: FakeAccount;
  name: string;
  defaultBranch: string;
  visibility: 'public' | 'private' | 'internal';
  archived: boolean;
  disabled: boolean;
  deleted: boolean;
  readonly parent: FakeRepository | null;
  /** `owner/name` in small letters, of earlier days. */
  readonly formerNames: string[];
  readonly createdAt: Date;
  readonly pulls: FakePull[];
  readonly checkRuns: FakeCheckRun[];
  readonly suites: Map<string, number>;
  /** Levels by login in small letters. */
  readonly permissions: Map<string, string>;
  commit(files: Files, options?: CommitOptions): Promise<Pushed>;
  /** Moves a branch to a commit that does not stand on its head. `from: null`: one without parents. */
  forcePush(files: Files, options?: CommitOptions): Promise<Pushed>;
  /** Points a branch at a commit, whatever it was. */
  branch(name: string, sha: string): Promise<Pushed>;
  deleteRef(ref: string): Promise<Pushed>;
  /** Annotated where a message is given; `after` is then the tag object. */
  tag(name: string, sha: string, options?: { readonly message?: string }): Promise<Pushed>;
  /** Where a ref points, unpeeled; `null` where it is not. */
  read(ref: string): Promise<string | null>;
};

export type RepositoryOptions = {
  readonly owner?: string;
  readonly name: string;
  readonly defaultBranch?: string;
  readonly private?: boolean;
  readonly visibility?: FakeRepository['visibility'];
  readonly archived?: boolean;
  /** For an id that another repository has had, or one that is large. */
  readonly id?: number;
};

export async function createRepository(
  world: World,
  owner: FakeAccount,
  options: RepositoryOptions,
  parent: FakeRepository | null = null,
): Promise<FakeRepository> {
  const id = options.id ?? world.nextId();
  const directory = join(world.directory, `${id}-${world.repositories.length}.git`);
  const defaultBranch = options.defaultBranch ?? 'main';
  await mkdir(directory, { recursive: true });
  await gitText(directory, ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, '.']);
  const repository: FakeRepository = {
    id,
    directory,
    owner,
    name: options.name,
    defaultBranch,
    visibility: options.visibility ?? (options.private === false ? 'public' : 'private'),
    archived: options.archived ?? false,
    disabled: false,
    deleted: false,
    parent,
    formerNames: [],
    createdAt: world.now(),
    pulls: [],
    checkRuns: [],
    suites: new Map(),
    permissions: new Map(),
    commit: (files, commit = {}) => commitTo(world, repository, files, commit, false),
    forcePush: (files, commit = {}) => commitTo(world, repository, files, commit, true),
    branch: (name, sha) => moveRef(repository, `refs/heads/${name}`, sha),
    deleteRef: (ref) => moveRef(repository, ref, none),
    tag: async (name, sha, { message } = {}) => {
      const object = message === undefined ? sha : await tagObject(world, repository, name, sha, message);
      return moveRef(repository, `refs/tags/${name}`, object);
    },
    read: (ref) => readRef(directory, ref),
  };
  world.repositories.push(repository);
  return repository;
}

/**
 * Where a ref points. Read as a file where it is one: a process for each would be most of what a test waits for.
 */
export async function readRef(directory: string, ref: string): Promise<string | null> {
  if (!ref.startsWith('refs/') || ref.includes('..') || ref.includes('\0')) return null;
  const text = await readFile(join(directory, ref), 'utf8').catch(() => '');
  if (/^[0-9a-f]{40}\n?$/.test(text)) return text.trim();
  const packed = await readFile(join(directory, 'packed-refs'), 'utf8').catch(() => '');
  return (
    packed
      .split('\n')
      .find((line) => line.slice(41) === ref)
      ?.slice(0, 40) ?? null
  );
}

async function commitTo(
  world: World,
  repository: FakeRepository,
  files: Files,
  options: CommitOptions,
  forced: boolean,
): Promise<Pushed> {
  const { directory } = repository;
  const ref = `refs/heads/${options.branch ?? repository.defaultBranch}`;
  const before = await readRef(directory, ref);
  const from =
    options.from === undefined
      ? (before ?? (await readRef(directory, `refs/heads/${repository.defaultBranch}`)))
      : options.from;
  const parts: Uint8Array[] = [];
  const say = (text: string): void => void parts.push(Buffer.from(text));
  const data = (content: string | Uint8Array): void => {
    const bytes = Buffer.from(content);
    say(`data ${bytes.length}\n`);
    parts.push(bytes);
    say('\n');
  };
  say(`commit ${ref}\ncommitter ${person(world)}\n`);
  data(options.message ?? 'A change');
  if (from !== null) say(`from ${from}\n`);
  if (options.merge !== undefined) say(`merge ${options.merge}\n`);
  for (const [path, content] of Object.entries(files)) {
    const quoted = `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
    if (content === null) {
      say(`D ${quoted}\n`);
      continue;
    }
    const plain = typeof content === 'string' || content instanceof Uint8Array;
    const mode = plain ? '100644' : content.mode;
    const bytes = plain ? content : content.content;
    if (mode === '160000') {
      say(`M 160000 ${Buffer.from(bytes).toString('utf8')} ${quoted}\n`);
      continue;
    }
    say(`M ${mode} inline ${quoted}\n`);
    data(bytes);
  }
  const force = forced || (before !== null && from !== before);
  await gitText(
    directory,
    ['fast-import', '--quiet', '--date-format=raw', ...(force ? ['--force'] : [])],
    Buffer.concat(parts),
  );
  const after = await readRef(directory, ref);
  if (after === null) throw new Error(`${ref} was not made`);
  return { ref, before: before ?? none, after, forced: force };
}

async function moveRef(repository: FakeRepository, ref: string, after: string): Promise<Pushed> {
  const { directory } = repository;
  const before = (await readRef(directory, ref)) ?? none;
  if (after === none) await gitText(directory, ['update-ref', '-d', ref]);
  else await gitText(directory, ['update-ref', ref, after]);
  const made = before === none || after === none;
  const ahead =
    made || (await tryGitBytes(directory, ['merge-base', '--is-ancestor', before, after])) !== null;
  return { ref, before, after, forced: !ahead };
}

function tagObject(
  world: World,
  repository: FakeRepository,
  name: string,
  sha: string,
  message: string,
): Promise<string> {
  const text = `object ${sha}\ntype commit\ntag ${name}\ntagger ${person(world)}\n\n${message}\n`;
  return gitText(repository.directory, ['mktag'], text);
}

/** By the world's clock, so that commits of one content made at two times are two. */
function person(world: World): string {
  return `Ada <ada@example.com> ${Math.floor(world.now().getTime() / 1_000)} +0000`;
}
