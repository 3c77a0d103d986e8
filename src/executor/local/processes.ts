import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { pause, type Clock } from '../../agent/clock.ts';
import { supervisorName } from './supervisor.ts';

const run = promisify(execFile);

/** Environment files read at once. */
const width = 32;

/** What an attempt's processes have in common: their group, and a mark in their environment that outlives it. */
export type ProcessFamily = { readonly group: number; readonly mark: string };

/** A living process of an attempt; the watcher is the part of the supervisor that stays. */
type Member = { readonly id: number; readonly group: number; readonly watcher: boolean };

/**
 * The living processes of an attempt, its watcher apart. Linux shows every process's environment, which also
 * finds those that left the group (setsid); elsewhere it is the group alone.
 */
export async function findProcesses(family: ProcessFamily): Promise<readonly number[]> {
  return (await findMembers(family)).flatMap((member) => (member.watcher ? [] : [member.id]));
}

/**
 * Asks all of an attempt to end: TERM to its group, then to each process that has left it. Nobody is asked twice,
 * since many a program takes a second TERM for impatience and drops what it was saving.
 */
export async function askToEnd(family: ProcessFamily): Promise<void> {
  signalGroup(family.group, 'SIGTERM');
  for (const member of await findMembers(family))
    if (!member.watcher && member.group !== family.group) signalProcess(member.id, 'SIGTERM');
}

function findMembers(family: ProcessFamily): Promise<readonly Member[]> {
  return process.platform === 'linux' ? findMarked(family.mark) : findGroup(family.group);
}

/** KILLs whatever lives of an attempt, again and again until a look finds none: they may fork while we look. */
export async function killFamily(family: ProcessFamily, clock: Clock): Promise<void> {
  if (process.platform !== 'linux') {
    signalGroup(family.group, 'SIGKILL');
    return;
  }
  for (let look = 0; look < 50; look += 1) {
    const members = await findMarked(family.mark);
    if (members.length === 0) return;
    // The watcher never leaves the group, so as long as it lives the group's id belongs to nobody else. This
    // reaches also those in the group that have cleaned their environment.
    if (members.some((member) => member.watcher)) signalGroup(family.group, 'SIGKILL');
    for (const member of members) signalProcess(member.id, 'SIGKILL');
    // A process that is being torn down still shows its environment for a moment.
    await pause(clock, 10, new AbortController().signal);
  }
}

async function findMarked(mark: string): Promise<readonly Member[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
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
