import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { installFromPypi, programOf } from './install.ts';

const run = promisify(execFile);
const version = '4.3.0';
/** Milliseconds that a master has until it answers. */
const startMs = 120_000;

export type Buildbot = {
  readonly version: string;
  /** Where its packages are. */
  readonly installed: string;
  readonly pid: number;
  /** From its process being started to its first answer. */
  readonly startSeconds: number;
  /** Tells it of a commit as a Git host does; resolves once it is taken in. */
  readonly push: (commit: string) => Promise<void>;
};

/**
 * Does this with a Buildbot that checks out each commit that it is told of and runs these commands of a shell, one
 * after the other, in a worker that lives in the master's own process: the quickest that it offers.
 */
export async function withBuildbot<T>(
  directory: string,
  repository: string,
  commands: readonly string[],
  use: (buildbot: Buildbot) => Promise<T>,
): Promise<T> {
  const program = await installFromPypi('buildbot', version, [
    `buildbot-www==${version}`,
    `buildbot-worker==${version}`,
  ]);
  const port = await freePort();
  const master = join(directory, 'buildbot');
  await run(programOf(program, 'buildbot'), ['create-master', '--quiet', master]);
  await writeFile(join(master, 'master.cfg'), configuration(repository, commands, port));
  const from = performance.now();
  const child = spawn(programOf(program, 'twistd'), ['--nodaemon', '--no_save', '-y', 'buildbot.tac'], {
    cwd: master,
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  try {
    const address = `http://127.0.0.1:${port}`;
    while (!(await answers(`${address}/api/v2/masters`))) {
      if (child.exitCode !== null || performance.now() - from > startMs)
        throw new Error('Buildbot did not start');
      await sleep(20);
    }
    const startSeconds = (performance.now() - from) / 1_000;
    const push = async (commit: string): Promise<void> => {
      const body = new URLSearchParams({
        revision: commit,
        branch: 'main',
        author: 'bench',
        comments: 'one',
      });
      const response = await fetch(`${address}/change_hook/base`, { method: 'POST', body });
      if (!response.ok) throw new Error(`Buildbot answers ${response.status}: ${await response.text()}`);
    };
    return await use({
      version,
      installed: program.directory,
      pid: child.pid ?? 0,
      startSeconds,
      push,
    });
  } finally {
    child.kill();
    await exited;
  }
}

function configuration(repository: string, commands: readonly string[], port: number): string {
  return `from buildbot.plugins import schedulers, steps, util, worker

factory = util.BuildFactory([steps.Git(repourl=${JSON.stringify(repository)}, mode="incremental")])
for command in ${JSON.stringify(commands)}:
    factory.addStep(steps.ShellCommand(command=["/bin/sh", "-c", command]))

c = BuildmasterConfig = {
    "protocols": {"null": {}},
    "workers": [worker.LocalWorker("local")],
    "schedulers": [
        schedulers.AnyBranchScheduler(name="any", treeStableTimer=None, builderNames=["one"])
    ],
    "builders": [util.BuilderConfig(name="one", workernames=["local"], factory=factory)],
    "www": {
        "port": "tcp:${port}:interface=127.0.0.1",
        "change_hook_dialects": {"base": True},
    },
    "db": {"db_url": "sqlite:///state.sqlite"},
    "buildbotURL": "http://127.0.0.1:${port}/",
    "title": "bench",
    "buildbotNetUsageData": None,
}
`;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
