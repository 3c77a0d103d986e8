import type { CheckAnnotation } from '../core/check.ts';
import {
  findTracebacks,
  pathsInRepository,
  tracebackAnnotation,
  type Frame,
} from '../core/check/traceback.ts';
import { entryAt } from '../core/snapshot/lookup.ts';
import type { ReadTree } from '../core/snapshot.ts';
import { findSourceObjects } from '../db/blobs.ts';
import type { Db } from '../db/connect.ts';
import { logTail } from '../db/logs.ts';
import type { Storage } from '../storage/storage.ts';
import { createTreeStore } from './trees.ts';

/** Bytes of the end of a log in which tracebacks are looked for. */
const tailBytes = 64 * 1024;

/**
 * The lines of the repository at which the exceptions of a failed attempt came out: of each traceback the innermost
 * frame whose file the commit has. `leftOut`: earlier exceptions of the same log that were not looked at. What a task wrote or installed itself is no line that a commit can show.
 */
export async function tracebackAnnotations(
  { db, storage }: { readonly db: Db; readonly storage: Storage },
  run: { readonly commit: string; readonly repository: { readonly id: number } },
  failed: { readonly id: number; readonly task: string },
): Promise<{ readonly annotations: readonly CheckAnnotation[]; readonly leftOut: number }> {
  const chunks = await logTail(db, failed.id, tailBytes);
  const { found: tracebacks, leftOut } = findTracebacks(
    Buffer.concat(chunks.map(({ bytes }) => bytes)).toString('utf8'),
  );
  if (tracebacks.length === 0) return { annotations: [], leftOut };
  const [root] = (await findSourceObjects(db, run.repository.id, [run.commit])).values();
  if (root === undefined) return { annotations: [], leftOut };
  const trees = createTreeStore(db, storage, run.repository.id);
  const found = new Map<string, CheckAnnotation>();
  for (const traceback of tracebacks) {
    for (const frame of traceback.frames.toReversed()) {
      const path = await pathAt(trees.read, root, frame);
      if (path === null) continue;
      found.set(
        `${path}:${frame.line}`,
        tracebackAnnotation(failed.task, { path, line: frame.line }, traceback),
      );
      break;
    }
  }
  return { annotations: [...found.values()], leftOut };
}

async function pathAt(readTree: ReadTree, root: string, { path }: Frame): Promise<string | null> {
  for (const candidate of pathsInRepository(path)) {
    // Trees hold the bytes of a name as latin1.
    const bytes = Buffer.from(candidate, 'utf8').toString('latin1');
    if ((await entryAt(readTree, root, bytes))?.type === 'file') return candidate;
  }
  return null;
}
