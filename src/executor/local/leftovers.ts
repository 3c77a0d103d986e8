import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../agent/clock.ts';
import type { Log } from '../../log.ts';
import { killFamily, signalGroup } from './processes.ts';
import { processStartTime, readBootId, readProcessRecord } from './process-record.ts';
import { removeDirectory } from './remove-directory.ts';

/**
 * Ends what an earlier server left running in this directory and removes its workspaces. A process is only
 * touched when its start time and the machine's boot id show that it is the one that was written down, or when
 * its environment carries the attempt's mark: ids are given away again.
 */
export async function endLeftovers(directory: string, log: Log): Promise<void> {
  const bootId = await readBootId();
  const names = (await readdir(directory)).filter((name) => /^\d+$/.test(name));
  for (const name of names) {
    const attempt = join(directory, name);
    const record = await readProcessRecord(attempt);
    if (record !== null && record.bootId === bootId) {
      if ((await processStartTime(record.pid)) === record.startedAt) {
        log.warn({ attempt: Number(name), pid: record.pid }, 'ending what an earlier server left running');
        signalGroup(record.pid, 'SIGKILL');
      }
      await killFamily({ group: record.pid, mark: record.mark }, systemClock);
    }
    await removeDirectory(attempt).catch((error: unknown) =>
      log.warn({ attempt: Number(name), error }, 'old workspace not removed'),
    );
  }
}
