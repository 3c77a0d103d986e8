import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { percentile, type Peers } from '../figures.ts';
import { withBuildbot } from './buildbot.ts';

const run = promisify(execFile);
const pushes = 15;
const lines = 500_000;

export const pushToBuildbotKnown = {
  buildbotStoredToRunningP50: {
    quoted: '260',
    source: 'measured by the authors of AME on two cores with Buildbot 3.7: 180 to 390 ms',
  },
};

export const buildbotLinesKnown = {
  buildbotLinesPerSecond: { quoted: 'nothing is published', source: 'https://docs.buildbot.net' },
};

/** Milliseconds from a commit being told to Buildbot to its command running; the checkout is within, as it is in AME. */
export async function measureBuildbotStart(): Promise<Peers> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  try {
    const repository = await createRepository(join(directory, 'repository'));
    const begun = join(directory, 'begun');
    const commands = [`date +%s%3N > ${begun}.part && mv ${begun}.part ${begun}`];
    return await withBuildbot(directory, repository.path, commands, async ({ version, push }) => {
      const delays: number[] = [];
      for (let at = 0; at < pushes; at += 1) {
        const commit = await repository.commit(`change ${at}`);
        await rm(begun, { force: true });
        const from = Date.now();
        await push(commit);
        delays.push(Number(await firstContent(begun)) - from);
      }
      return { buildbotStoredToRunningP50: { figure: percentile(delays.slice(3), 0.5), version } };
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Lines a second from a command into Buildbot's stored log; nobody follows it. */
export async function measureBuildbotLines(): Promise<Peers> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  try {
    const repository = await createRepository(join(directory, 'repository'));
    const [begun, ended] = [join(directory, 'begun'), join(directory, 'ended')];
    const commands = [
      `date +%s%3N > ${begun}; seq ${lines}`,
      `date +%s%3N > ${ended}.part && mv ${ended}.part ${ended}`,
    ];
    return await withBuildbot(directory, repository.path, commands, async ({ version, push }) => {
      await push(await repository.commit('one'));
      const until = Number(await firstContent(ended));
      const seconds = (until - Number(await readFile(begun, 'utf8'))) / 1_000;
      return { buildbotLinesPerSecond: { figure: Math.round(lines / seconds), version } };
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A repository with a file; each commit changes it and answers with its name. */
export async function createRepository(
  path: string,
): Promise<{ readonly path: string; commit(content: string): Promise<string> }> {
  const git = (...args: string[]) =>
    run('git', ['-C', path, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
  await run('git', ['init', '--quiet', '--initial-branch=main', path]);
  const commit = async (content: string): Promise<string> => {
    await writeFile(join(path, 'change.txt'), content);
    await git('add', '.');
    await git('commit', '--quiet', '--message', content);
    return (await git('rev-parse', 'HEAD')).stdout.trim();
  };
  await commit('first');
  return { path, commit };
}

/** What a file holds as soon as it is there. It is there whole. Five minutes at most. */
async function firstContent(path: string): Promise<string> {
  for (const until = performance.now() + 300_000; performance.now() < until; await sleep(10)) {
    const content = await readFile(path, 'utf8').catch(() => null);
    if (content !== null) return content;
  }
  throw new Error('Buildbot never ran its command');
}
