import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Clock } from '../../agent/clock.ts';
import { supervisorName } from './supervisor.ts';

const run = promisify(execFile);

/** Environment files read at once. */
const width = 32;

/** What an attempt's processes have in common: their group, and a mark in their environment that outlives it. */
export type ProcessFamily = {
  readonly group: number;
  readonly mark: string;
  /** When its first process began, by the clock of those who look; without it every process may be of it. */
  readonly begunAt?: number;
};

/** A living process of an attempt; the watcher is the part of the supervisor that stays. */
type Member = { readonly id: number; readonly group: number; readonly watcher: boolean };

/**
 * The living processes of an attempt, its watcher apart. Linux shows every process's environment, which also
 * finds those that left the group (setsid); elsewhere it is the group alone.
 */
export async function findProcesses(family: ProcessFamily, clock: Clock): Promise<readonly number[]> {
  return (await findMembers(family, clock)).flatMap((member) => (member.watcher ? [] : [member.id]));
}

/**
 * Asks all of an attempt to end: TERM to its group, then to each process that has left it. Nobody is asked twice,
 * since many a program takes a second TERM for impatience and drops what it was saving.
 */
export async function askToEnd(family: ProcessFamily, clock: Clock): Promise<void> {
  signalGroup(family.group, 'SIGTERM');
  for (const member of await findMembers(family, clock))
    if (!member.watcher && member.group !== family.group) signalProcess(member.id, 'SIGTERM');
}

function findMembers(family: ProcessFamily, clock: Clock): Promise<readonly Member[]> {
  return process.platform === 'linux' ? findMarked(family, clock) : findGroup(family.group);
}

/** KILLs whatever lives of an attempt, again and again until a look finds none: they may fork while we look. */
export async function killFamily(family: ProcessFamily, clock: Clock): Promise<void> {
  if (process.platform !== 'linux') {
    signalGroup(family.group, 'SIGKILL');
    return;
  }
  for (let look = 0; look < 50; look += 1) {
    const members = await findMarked(family, clock);
    if (members.length === 0) return;
    // The watcher never leaves the group, so as long as it lives the group's id belongs to nobody else. This
    // reaches also those in the group that have cleaned their environment.
    if (members.some((member) => member.watcher)) signalGroup(family.group, 'SIGKILL');
    for (const member of members) signalProcess(member.id, 'SIGKILL');
    // A process that is being torn down still shows its environment for a moment: of the system's time, whatever the clock says.
    await delay(10);
  }
}

async function findMarked(family: ProcessFamily, clock: Clock): Promise<readonly Member[]> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const ids = await youngerOf(all, family, clock);
  const mark = family.mark;
  const found: Member[] = [];
  for (let from = 0; from < ids.length; from += width) {
    await Promise.all(
      ids.slice(from, from + width).map(async (id) => {
        // Gone meanwhile, or another user's: not ours either way.
        const environment = await readFile(`/proc/${id}/environ`, 'latin1').catch(() => '');
        if (!environment.includes(`AME_MARK=${mark}\0`)) return;
        const [words, state] = await Promise.all(
          ['cmdline', 'stat'].map((name) => readFile(`/proc/${id}/${name}`, 'latin1').catch(() => '')),
        );
        found.push({
          id: Number(id),
          group: groupOf(state ?? ''),
          watcher: (words ?? '').split('\0').includes(supervisorName),
        });
      }),
    );
  }
  return found;
}

/** Processes that no machine starts in a millisecond. */
const startedPerMs = 20;

/**
 * Of all processes those that came after an attempt's first one, where its beginning is so near that ids cannot have
 * gone round since: a command that does nothing ends at once, and to read the environment of each of 230 processes,
 * twice, was most of what it cost.
 */
async function youngerOf(
  all: readonly string[],
  { group, begunAt = -Infinity }: ProcessFamily,
  clock: Clock,
): Promise<readonly string[]> {
  const [most, load] = await Promise.all(
    ['/proc/sys/kernel/pid_max', '/proc/loadavg'].map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  if (!(clock.now() - begunAt < Number(most) / startedPerMs)) return all;
  const newest = Number(load?.trim().split(' ').at(-1));
  if (!(newest > 0)) return all;
  return all.filter((id) =>
    newest >= group
      ? Number(id) >= group && Number(id) <= newest
      : Number(id) >= group || Number(id) <= newest,
  );
}

/** The living processes of all attempts at once, watchers apart, by their mark; Linux only. */
export async function findAllMarked(): Promise<ReadonlyMap<string, readonly number[]>> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = new Map<string, number[]>();
  for (let from = 0; from < ids.length; from += width) {
    await Promise.all(
      ids.slice(from, from + width).map(async (id) => {
        const environment = await readFile(`/proc/${id}/environ`, 'latin1').catch(() => '');
        const mark = /(?:^|\0)AME_MARK=([^\0]*)\0/.exec(environment)?.[1];
        if (mark === undefined) return;
        const words = await readFile(`/proc/${id}/cmdline`, 'latin1').catch(() => '');
        if (words.split('\0').includes(supervisorName)) return;
        found.set(mark, [...(found.get(mark) ?? []), Number(id)]);
      }),
    );
  }
  return found;
}

/** The process group in a line of /proc/…/stat. The name before it may hold anything, also brackets. */
function groupOf(state: string): number {
  return Number(state.slice(state.lastIndexOf(')') + 2).split(' ')[2]);
}

async function findGroup(group: number): Promise<readonly Member[]> {
  const columns = 'pid=,pgid=,stat=,args=';
  const { stdout } = await run('ps', ['-A', '-o', columns], { env: { PATH: '/bin:/usr/bin' } });
  return stdout.split('\n').flatMap((line) => {
    const [, id, pgid, state = '', words = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (Number(pgid) !== group || state.startsWith('Z')) return [];
    return [{ id: Number(id), group, watcher: words.includes(supervisorName) }];
  });
}

/** Sends a signal to a whole group; one that is gone is as good as ended. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  signalProcess(-group, signal);
}

function signalProcess(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(id, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')))
      throw error;
  }
}
