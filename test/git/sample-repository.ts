import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git, tryGit } from './real-git.ts';

export const zero = '0'.repeat(40);
export const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`;

/** File systems may refuse names that are no UTF-8, so the tree with it is made by hand. */
const latin1Name = Buffer.from('caf\xe9', 'latin1');

export type SampleRepository = {
  readonly work: string;
  readonly dir: string;
  /** Every kind of entry. */
  readonly first: string;
  /** After it on main: a file moved, one deleted, one with another mode. */
  readonly second: string;
  /** After the first on a branch: a file more. */
  readonly side: string;
  /** Without a history in common with the others, and with a path that is no UTF-8. */
  readonly lonely: string;
};

/** A repository in `path/work` with a bit of everything. */
export async function sampleRepository(path: string): Promise<SampleRepository> {
  const work = join(path, 'work');
  await git(path, 'init', '--quiet', '--initial-branch=main', work);
  await writeFile(join(work, 'ame.yaml'), 'projectname: spam\n');
  await writeFile(join(work, 'empty'), '');
  await writeFile(join(work, 'long'), 'x'.repeat(300 * 1024));
  await writeFile(join(work, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(work, '--output=x'), 'option');
  await writeFile(join(work, 'new\nline *?[a]'), 'odd');
  await mkdir(join(work, 'src/deep'), { recursive: true });
  await writeFile(join(work, 'src/deep/grün.py'), 'print()');
  await writeFile(join(work, 'weights.bin'), pointer);
  await symlink('../outside', join(work, 'link'));
  await git(work, 'add', '--all');
  await git(work, 'update-index', '--add', '--cacheinfo', `160000,${'5'.repeat(40)},vendor`);
  await git(work, 'commit', '--quiet', '-m', 'first\n\nbody');
  const first = await git(work, 'rev-parse', 'HEAD');
  await git(work, 'tag', '-a', 'v1', '-m', 'one');
  await git(work, 'tag', '-a', 'nested', '-m', 'of a tag', 'v1');
  await git(work, 'tag', 'blob', 'HEAD:ame.yaml');
  await git(work, 'branch', 'v1');
  await git(work, 'switch', '--quiet', '-c', 'side');
  await writeFile(join(work, 'side'), 'side');
  await git(work, 'add', 'side');
  await git(work, 'commit', '--quiet', '-m', 'side');
  const side = await git(work, 'rev-parse', 'HEAD');
  await git(work, 'switch', '--quiet', 'main');
  await git(work, 'mv', 'ame.yaml', 'moved.yaml');
  await git(work, 'rm', '--quiet', 'src/deep/grün.py');
  await git(work, 'update-index', '--chmod=-x', 'run.sh');
  await git(work, 'commit', '--quiet', '-m', 'second');
  const second = await git(work, 'rev-parse', 'HEAD');
  const made = await tryGit(
    work,
    ['hash-object', '-w', '-t', 'tree', '--stdin', '--literally'],
    latin1Tree(await git(work, 'rev-parse', 'HEAD:moved.yaml')),
  );
  const lonely = await git(work, 'commit-tree', '-m', 's'.repeat(5000), made.out.trim());
  await git(work, 'update-ref', 'refs/heads/$(id)', lonely);
  return { work, dir: join(work, '.git'), first, second, side, lonely };
}

function latin1Tree(id: string): Uint8Array {
  return Buffer.concat([Buffer.from('100644 '), latin1Name, Buffer.of(0), Buffer.from(id, 'hex')]);
}
