import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchOptions, Figures } from './figures.ts';
import { beside } from './peers/beside.ts';
import { buildbotAtRestKnown, measureBuildbotAtRest } from './peers/buildbot-at-rest.ts';
import { memoryMib, processorSeconds } from './process-figures.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const idleSeconds = 20;

/**
 * What a newcomer waits for and what then stays: a fresh clone to the sample's green run (the install apart), a warm
 * start until it is ready, memory and CPU of the server at rest, and how much the published package installs beside
 * Postgres and Node. Reads /proc, so it runs on Linux alone.
 */
export async function benchCold({ peers }: BenchOptions): Promise<Figures> {
  const ame = await measureAme();
  return peers ? { ...ame, peers: await beside(measureBuildbotAtRest, buildbotAtRestKnown) } : ame;
}

async function measureAme(): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  try {
    const clone = join(directory, 'clone');
    await run('git', ['clone', '--quiet', root, clone]);
    const install = await seconds(() =>
      run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: clone }),
    );
    const env = { ...process.env, AME_DATA: join(directory, 'data'), PORT: '0' };
    const green = await seconds(() => startUntil(clone, env, /\bsucceeded\b/));
    const warm = await startUntil(clone, env, /AME runs at (\S+)/, true);
    const { rssMib, cpuShare } = warm.idle ?? { rssMib: Number.NaN, cpuShare: Number.NaN };
    await run('node', ['deploy/build.mjs'], { cwd: clone });
    const figures = {
      installSeconds: round(install),
      cloneToGreenSeconds: round(green),
      warmStartSeconds: round(warm.seconds),
      idleMib: Math.round(rssMib),
      idleCpuPercent: round(100 * cpuShare),
      installedMib: round((await sizeOf(join(clone, 'dist'))) / 2 ** 20),
      packages: installedPackages(clone),
      bundledPackages: bundledPackages(clone),
    };
    return {
      name: 'cold',
      figures,
      aims: {
        cloneToGreenSeconds: '<= 15',
        warmStartSeconds: '<= 1.5',
        idleMib: '<= 120',
        idleCpuPercent: '<= 0.5',
        installedMib: '<= 150',
      },
      met:
        figures.cloneToGreenSeconds <= 15 &&
        figures.warmStartSeconds <= 1.5 &&
        figures.idleMib <= 120 &&
        figures.idleCpuPercent <= 0.5 &&
        figures.installedMib <= 150,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type Started = {
  readonly seconds: number;
  readonly idle: { readonly rssMib: number; readonly cpuShare: number } | null;
};

/** What a run says that came to another end than a green one. */
const broken = /\b(?:failed|cancelled)\b/;

/** Runs `npm start` until it has said this, and throws where a run failed; and looks at it at rest where that is wanted; then stops it. */
async function startUntil(
  directory: string,
  env: NodeJS.ProcessEnv,
  word: RegExp,
  measured = false,
): Promise<Started> {
  const from = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  try {
    let text = '';
    for await (const part of child.stdout) {
      text += String(part);
      if (word.test(text) || broken.test(text)) break;
    }
    if (broken.test(text)) throw new Error(`the sample's run is not green:\n${text}`);
    if (!word.test(text)) throw new Error(`npm start ended without ${word}:\n${text}`);
    const seconds = (performance.now() - from) / 1_000;
    return { seconds, idle: measured ? await rest(child) : null };
  } finally {
    const ended = once(child, 'exit');
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    await ended;
  }
}

/** Memory and share of a core of the server itself, a while after its start. */
async function rest(child: ChildProcess): Promise<Started['idle']> {
  await sleep(10_000);
  const server = largestBelow(child.pid ?? 0);
  const before = processorSeconds(server);
  await sleep(idleSeconds * 1_000);
  return { rssMib: memoryMib(server), cpuShare: (processorSeconds(server) - before) / idleSeconds };
}

/** The node process of most memory below this one; npm itself is above it. */
function largestBelow(top: number): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const read = (pid: number): { readonly parent: number; readonly name: string; readonly rss: number } => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
      return { parent: Number(field('PPid')), name: field('Name'), rss: Number(field('VmRSS')) };
    } catch {
      return { parent: 0, name: '', rss: 0 };
    }
  };
  const processes = new Map(all.map((pid) => [pid, read(pid)]));
  const isBelow = (pid: number): boolean => {
    for (let at = pid; at > 1; at = processes.get(at)?.parent ?? 0) if (at === top) return pid !== top;
    return false;
  };
  const leaves = [...processes].filter(([pid, { name }]) => isBelow(pid) && /node|MainThread/.test(name));
  const servers = leaves.filter(([pid]) => !leaves.some(([, { parent }]) => parent === pid));
  const [largest] = (servers.length > 0 ? servers : leaves).toSorted(([, a], [, b]) => b.rss - a.rss);
  if (largest === undefined) throw new Error('the server is not there');
  return largest[0];
}

/**
 * What an install brings onto the machine that is no tool of ours: Postgres and Node, since all else is within the
 * bundle. npm itself keeps the list of what lies in node_modules.
 */
function installedPackages(directory: string): number {
  const list = readFileSync(join(directory, 'node_modules/.package-lock.json'), 'utf8');
  const { packages } = JSON.parse(list) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  return Object.values(packages).filter(({ dev }) => dev !== true).length;
}

/** How many packages of others the bundle contains: each has a heading in the file of licences. */
function bundledPackages(directory: string): number {
  const text = readFileSync(join(directory, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
  return [...text.matchAll(/^(?:@[\w.-]+\/)?[\w.-]+ \d+\.\d+\.\d+\S* \(.*\)$/gm)].length;
}

async function sizeOf(directory: string): Promise<number> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1_000;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
