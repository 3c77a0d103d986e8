import { notFound, ok, refuse, type Answer } from './answer.ts';
import { fullName, repositoryOf, type Ask, type Operate } from './ask.ts';
import { compare } from './compare.ts';
import { changedFileShape, commitShape } from './git-shapes.ts';
import { followPulls } from './pulls.ts';
import {
  findCommit,
  readBlob,
  readChanges,
  readCommit,
  readTree,
  readType,
  resolve,
  type TreeFacts,
} from './read-git.ts';
import { readRef, type FakeRepository } from './repository.ts';
import { nodeId } from './shapes.ts';

const megabyte = 1024 * 1024;
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

async function getRef(ask: Ask): Promise<Answer> {
  const repository = await fresh(ask);
  const ref = `refs/${ask.params['ref'] ?? ''}`;
  const sha = (await readRef(repository.directory, ref)) ?? notFound();
  const type = await readType(repository.directory, sha);
  const url = `${ask.world.url}/repos/${fullName(repository)}/git`;
  return ok({
    ref,
    node_id: nodeId('REF', repository.id, ref),
    url: `${url}/${ref}`,
    object: { sha, type, url: `${url}/${type ?? 'commit'}s/${sha}` },
  });
}

async function getBranch(ask: Ask): Promise<Answer> {
  const { world } = ask;
  const repository = repositoryOf(ask);
  const name = ask.params['branch'] ?? '';
  const sha = await readRef(repository.directory, `refs/heads/${name}`);
  if (sha === null) refuse(404, 'Branch not found');
  const self = `${world.url}/repos/${fullName(repository)}/branches/${name}`;
  return ok({
    name,
    commit: commitShape(world, repository, await readCommit(repository.directory, sha)),
    _links: { self, html: `${world.webUrl}/${fullName(repository)}/tree/${name}` },
    protected: false,
    protection: { enabled: false },
    protection_url: `${self}/protection`,
  });
}

async function getCommit(ask: Ask): Promise<Answer> {
  const { world } = ask;
  const repository = await fresh(ask);
  const ref = ask.params['ref'] ?? '';
  const sha = (await findCommit(repository, ref)) ?? refuse(422, `No commit found for SHA: ${ref}`);
  const commit = await readCommit(repository.directory, sha);
  const files = await readChanges(repository.directory, commit.parents[0] ?? emptyTree, sha);
  const shown = files.slice(0, 300);
  return ok({
    ...commitShape(world, repository, commit),
    stats: { total: files.length, additions: files.length, deletions: 0 },
    files: shown.map((file) => changedFileShape(world, repository, sha, file)),
  });
}

async function getTree(ask: Ask): Promise<Answer> {
  const { world, query } = ask;
  const repository = await fresh(ask);
  const asked = ask.params['tree_sha'] ?? '';
  const { directory } = repository;
  const commit = await findCommit(repository, asked);
  const tree = await resolve(directory, `${commit ?? asked}^{tree}`);
  if (tree === null) notFound();
  const entries = await readTree(directory, tree, query.has('recursive'));
  const truncated = query.has('recursive') && entries.length > world.treeLimit;
  const url = `${world.url}/repos/${fullName(repository)}/git`;
  return ok({
    sha: tree,
    url: `${url}/trees/${tree}`,
    truncated,
    tree: entries.slice(0, truncated ? world.treeLimit : entries.length).map((entry) => ({
      path: entry.path,
      mode: entry.mode,
      type: entry.type,
      sha: entry.sha,
      ...(entry.size === null ? {} : { size: entry.size }),
      ...(entry.type === 'commit' ? {} : { url: `${url}/${entry.type}s/${entry.sha}` }),
    })),
  });
}

async function getBlob(ask: Ask): Promise<Answer> {
  const repository = await fresh(ask);
  const sha = ask.params['file_sha'] ?? '';
  if ((await readType(repository.directory, sha)) !== 'blob') notFound();
  const bytes = await readBlob(repository.directory, sha);
  if (bytes.length > 100 * megabyte) refuse(403, 'This API returns blobs up to 100 MB in size.');
  // The raw media type answers the very bytes.
  if (ask.accept.includes('raw'))
    return { status: 200, body: bytes, headers: { 'content-type': 'application/vnd.github.raw' } };
  return ok({
    sha,
    node_id: nodeId('B', repository.id, sha),
    size: bytes.length,
    url: `${ask.world.url}/repos/${fullName(repository)}/git/blobs/${sha}`,
    content: inLines(bytes),
    encoding: 'base64',
  });
}

async function getContent(ask: Ask): Promise<Answer> {
  const { query } = ask;
  const repository = await fresh(ask);
  const { directory } = repository;
  const ref = query.get('ref') ?? repository.defaultBranch;
  const commit = await findCommit(repository, ref);
  if (commit === null) refuse(404, `No commit found for the ref ${ref}`);
  const path = (ask.params['path'] ?? '').replace(/^\/+|\/+$/g, '');
  const entry = path === '' ? null : await findEntry(directory, commit, path);
  if (path !== '' && entry === null) notFound();
  if (entry === null || entry.type === 'tree') {
    const tree = entry?.sha ?? (await readCommit(directory, commit)).tree;
    const entries = await readTree(directory, tree, false);
    return ok(
      entries
        .slice(0, 1_000)
        .map((child) =>
          entryShape(ask, repository, commit, path === '' ? child.path : `${path}/${child.path}`, child),
        ),
    );
  }
  const shape = entryShape(ask, repository, commit, path, entry);
  // GitHub takes the address out of .gitmodules; here it is any.
  if (entry.type === 'commit')
    return ok({ ...shape, type: 'submodule', submodule_git_url: `${ask.world.webUrl}/module.git` });
  const bytes = await readBlob(directory, entry.sha);
  if (ask.accept.includes('raw'))
    return { status: 200, body: bytes, headers: { 'content-type': 'application/vnd.github.raw' } };
  if (entry.mode === '120000') return ok({ ...shape, type: 'symlink', target: bytes.toString('utf8') });
  // From a megabyte on, the content has to be asked for in its raw form.
  const large = bytes.length > megabyte;
  return ok({ ...shape, content: large ? '' : inLines(bytes), encoding: large ? 'none' : 'base64' });
}

async function findEntry(directory: string, commit: string, path: string): Promise<TreeFacts | null> {
  const slash = path.lastIndexOf('/');
  const tree = await resolve(directory, `${commit}:${path.slice(0, Math.max(0, slash))}`);
  if (tree === null || (await readType(directory, tree)) !== 'tree') return null;
  const entries = await readTree(directory, tree, false);
  return entries.find((entry) => entry.path === path.slice(slash + 1)) ?? null;
}

function entryShape(
  { world }: Ask,
  repository: FakeRepository,
  commit: string,
  path: string,
  entry: TreeFacts,
): object {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const kind = entry.type === 'tree' ? 'tree' : 'blob';
  const self = `${world.url}/repos/${fullName(repository)}/contents/${encoded}?ref=${commit}`;
  const git = `${world.url}/repos/${fullName(repository)}/git/${kind}s/${entry.sha}`;
  const html = `${world.webUrl}/${fullName(repository)}/${kind}/${commit}/${encoded}`;
  return {
    type: entry.type === 'tree' ? 'dir' : 'file',
    name: path.split('/').at(-1) ?? path,
    path,
    sha: entry.sha,
    size: entry.size ?? 0,
    url: self,
    html_url: html,
    git_url: git,
    download_url: entry.type === 'blob' ? `${world.webUrl}/raw/${fullName(repository)}/${encoded}` : null,
    _links: { self, git, html },
  };
}

/** Base64 as GitHub writes it: lines of 60 characters. */
function inLines(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll(/.{1,60}/g, '$&\n');
}

/** The repository with refs/pull/<n>/head where their branches are now. */
async function fresh(ask: Ask): Promise<FakeRepository> {
  const repository = repositoryOf(ask);
  await followPulls(repository);
  return repository;
}

export const contentOperations: Readonly<Record<string, Operate>> = {
  'git/get-ref': getRef,
  'git/get-tree': getTree,
  'git/get-blob': getBlob,
  'repos/get-branch': getBranch,
  'repos/get-commit': getCommit,
  'repos/get-content': getContent,
  'repos/compare-commits-with-basehead': async (ask) => compare(ask, await fresh(ask)),
};
