import type { Stats } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whom a child process runs as. Absent where it runs as we do. */
export type Identity = { readonly uid: number; readonly gid: number };

/**
 * Postgres refuses to run as root. Root therefore runs it as the owner of the cluster, so that one made by an
 * ordinary user stays that user's, and a new cluster goes to `nobody`.
 */
export async function postgresIdentity(cluster: string): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(cluster).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return nobody(await readFile('/etc/passwd', 'utf8').catch(() => ''));
}

/** The ids of `nobody` in the text of a passwd file; 65534 where it names none (images without that file). */
export function nobody(passwd: string): Identity {
  const [uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(passwd)?.slice(1).map(Number) ?? [];
  return uid === undefined || gid === undefined ? { uid: 65534, gid: 65534 } : { uid, gid };
}

/**
 * Whether an identity may run a program, or enter a folder: the path and every folder above it let it through.
 * Judged by the mode bits; what an access list forbids beyond them shows as an error of the process itself.
 */
export async function canReach(path: string, identity: Identity | undefined): Promise<boolean> {
  if (identity === undefined) return true;
  let at = await realpath(path);
  while (letsThrough(await stat(at), identity)) {
    if (at === dirname(at)) return true;
    at = dirname(at);
  }
  return false;
}

function letsThrough(stats: Stats, identity: Identity): boolean {
  const shift = stats.uid === identity.uid ? 6 : stats.gid === identity.gid ? 3 : 0;
  return ((stats.mode >> shift) & 0o1) !== 0;
}
