import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { Digest } from '../../core/snapshot.ts';
import type { FileStates } from '../file-states.ts';

/** What an agent that takes over from one that crashed has to know, the log apart. */
export type Progress = {
  /** When the attempt's preparation began. */
  readonly preparedFrom: Date;
  /** The workspace as it was restored, once it is. */
  readonly restored: { readonly root: Digest; readonly states: FileStates } | null;
  readonly startedAt: Date | null;
  /** When the command had ended, or it was clear that it would never begin. */
  readonly endedAt: Date | null;
  /** The door has the report. */
  readonly isReported: boolean;
};

export type ProgressFile = {
  now(): Progress;
  save(changes: Partial<Progress>): Promise<void>;
};

/** The progress in one file of this directory, which is replaced as a whole; a new one where there is none. */
export async function openProgress(
  directory: string,
  { preparedFrom }: Pick<Progress, 'preparedFrom'>,
): Promise<ProgressFile> {
  const place = join(directory, 'progress');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let progress = (await readEarlier(place)) ?? {
    preparedFrom,
    restored: null,
    startedAt: null,
    endedAt: null,
    isReported: false,
  };
  return {
    now: () => progress,
    async save(changes) {
      progress = { ...progress, ...changes };
      await writeFile(`${place}.new`, serialize(progress), { mode: 0o600 });
      await rename(`${place}.new`, place);
    },
  };
}

async function readEarlier(place: string): Promise<Progress | null> {
  try {
    // Only agents of this attempt write here, all of one image.
    return deserialize(await readFile(place)) as Progress;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
