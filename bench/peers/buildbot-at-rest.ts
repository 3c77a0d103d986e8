import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Peers } from '../figures.ts';
import { memoryMib } from '../process-figures.ts';
import { withBuildbot } from './buildbot.ts';
import { createRepository } from './push-to-buildbot.ts';

const run = promisify(execFile);

export const buildbotAtRestKnown = {
  buildbotWarmStartSeconds: { quoted: 'nothing is published', source: 'https://docs.buildbot.net' },
};

/** What a Buildbot of a worker in its own process takes: its start, its memory at rest, and what is installed. */
export async function measureBuildbotAtRest(): Promise<Peers> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  try {
    const { path } = await createRepository(join(directory, 'repository'));
    return await withBuildbot(
      directory,
      path,
      ['true'],
      async ({ version, installed, pid, startSeconds }) => {
        await sleep(10_000);
        const { stdout } = await run('du', ['-sm', installed]);
        return {
          buildbotWarmStartSeconds: { figure: Math.round(startSeconds * 100) / 100, version },
          buildbotIdleMib: { figure: Math.round(memoryMib(pid)), version },
          buildbotInstalledMib: { figure: Number.parseInt(stdout, 10), version },
        };
      },
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
