import { gitText } from './git.ts';
import {
  connection,
  need,
  objectAt,
  once,
  pullNode,
  repositoryNode,
  type Fields,
  type GraphqlContext,
  type OfEntry,
  type OfObject,
  type OfRef,
} from './graphql-nodes.ts';
import { pullsWith } from './pull-operations.ts';
import {
  readBlob,
  readCommit,
  readTree,
  readType,
  resolve,
  type CommitFacts,
  type TreeFacts,
} from './read-git.ts';
import type { FakeRepository } from './repository.ts';
import { nodeId } from './shapes.ts';

function commitOf(context: GraphqlContext, { repository, oid }: OfObject): Promise<CommitFacts> {
  return once(context, `commit ${repository.id} ${oid}`, () => readCommit(repository.directory, oid));
}

function bytesOf(context: GraphqlContext, { repository, oid }: OfObject): Promise<Buffer> {
  return once(context, `blob ${repository.id} ${oid}`, () => readBlob(repository.directory, oid));
}

async function tagText({ repository, oid }: OfObject): Promise<string> {
  return gitText(repository.directory, ['cat-file', 'tag', oid]);
}

function entriesOf(
  repository: FakeRepository,
  entries: readonly TreeFacts[],
  above: string,
): readonly OfEntry[] {
  return entries.map((entry) => ({
    is: 'TreeEntry',
    repository,
    entry,
    path: above === '' ? entry.path : `${above}/${entry.path}`,
  }));
}

async function fileAt({ repository, oid }: OfObject, path: string): Promise<OfEntry | null> {
  const slash = path.lastIndexOf('/');
  const above = path.slice(0, Math.max(0, slash));
  const tree = await resolve(repository.directory, `${oid}:${above}`);
  if (tree === null || (await readType(repository.directory, tree)) !== 'tree') return null;
  const entries = await readTree(repository.directory, tree, false);
  return entriesOf(repository, entries, above).find((one) => one.path === path) ?? null;
}

/** GitHub cuts long texts; where exactly is not documented. 512 KB here. */
const textLimit = 512 * 1024;

/** Git's own sign of a binary file, looked for where GitHub looks: near its start. Text in another encoding too. */
function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 8_000).includes(0);
}

const gitObject: Fields = {
  id: ({ repository, oid }: OfObject) => nodeId('G', repository.id, oid),
  oid: ({ oid }: OfObject) => oid,
  abbreviatedOid: ({ oid }: OfObject) => oid.slice(0, 7),
  repository: ({ repository }: OfObject) => repositoryNode(repository),
};

export const gitFields: Readonly<Record<string, Fields>> = {
  Ref: {
    id: ({ repository, ref }: OfRef) => nodeId('REF', repository.id, ref),
    name: ({ ref }: OfRef) => ref.replace(/^refs\/(heads|tags)\//, ''),
    prefix: ({ ref }: OfRef) => /^refs\/[^/]+\//.exec(ref)?.[0] ?? 'refs/',
    repository: ({ repository }: OfRef) => repositoryNode(repository),
    target: ({ repository, oid }: OfRef) => objectAt(repository, oid),
  },
  Commit: {
    ...gitObject,
    committedDate: async (source: OfObject, _args, context) =>
      (await commitOf(context, source)).committer.date,
    authoredDate: async (source: OfObject, _args, context) => (await commitOf(context, source)).author.date,
    message: async (source: OfObject, _args, context) => (await commitOf(context, source)).message,
    messageHeadline: async (source: OfObject, _args, context) =>
      (await commitOf(context, source)).message.split('\n')[0] ?? '',
    tree: async (source: OfObject, _args, context) =>
      objectAt(source.repository, (await commitOf(context, source)).tree),
    file: (source: OfObject, { path }) => fileAt(source, String(path)),
    async parents(source: OfObject, args, context) {
      const { parents } = await commitOf(context, source);
      return connection(await Promise.all(parents.map((sha) => objectAt(source.repository, sha))), args);
    },
    async associatedPullRequests(source: OfObject, args, context) {
      need(context, 'pull_requests');
      return connection((await pullsWith(source.repository, source.oid)).map(pullNode), args);
    },
  },
  Tag: {
    ...gitObject,
    name: async (source: OfObject) => /^tag (.*)$/m.exec(await tagText(source))?.[1] ?? '',
    message: async (source: OfObject) => {
      const text = await tagText(source);
      return text.slice(text.indexOf('\n\n') + 2);
    },
    target: async (source: OfObject) =>
      objectAt(source.repository, /^object ([0-9a-f]{40})/.exec(await tagText(source))?.[1] ?? ''),
  },
  Tree: {
    ...gitObject,
    entries: async ({ repository, oid }: OfObject) =>
      entriesOf(repository, await readTree(repository.directory, oid, false), ''),
  },
  TreeEntry: {
    mode: ({ entry }: OfEntry) => Number.parseInt(entry.mode, 8),
    name: ({ entry }: OfEntry) => entry.path,
    path: ({ path }: OfEntry) => path,
    oid: ({ entry }: OfEntry) => entry.sha,
    type: ({ entry }: OfEntry) => entry.type,
    size: ({ entry }: OfEntry) => entry.size ?? 0,
    repository: ({ repository }: OfEntry) => repositoryNode(repository),
    object: ({ repository, entry }: OfEntry) =>
      entry.type === 'commit' ? null : objectAt(repository, entry.sha),
  },
  Blob: {
    ...gitObject,
    byteSize: async (source: OfObject, _args, context) => (await bytesOf(context, source)).length,
    isBinary: async (source: OfObject, _args, context) => isBinary(await bytesOf(context, source)),
    isTruncated: async (source: OfObject, _args, context) =>
      (await bytesOf(context, source)).length > textLimit,
    async text(source: OfObject, _args, context) {
      const bytes = await bytesOf(context, source);
      return isBinary(bytes) ? null : bytes.subarray(0, textLimit).toString('utf8');
    },
  },
};
