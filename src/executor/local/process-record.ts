import { execFile } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

/** Who an attempt's first process is, beyond its id, which the system gives away again. */
const processRecord = z.object({
  pid: z.int().positive(),
  /** As the system tells it, in whatever form; compared as text. */
  startedAt: z.string(),
  /** '' where the system has none. */
  bootId: z.string(),
  mark: z.string(),
});
export type ProcessRecord = z.infer<typeof processRecord>;

const fileName = 'process.json';

export async function writeProcessRecord(directory: string, record: ProcessRecord): Promise<void> {
  const file = join(directory, fileName);
  await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** `null` where no process was started, or none was written down. */
export async function readProcessRecord(directory: string): Promise<ProcessRecord | null> {
  const text = await readFile(join(directory, fileName), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return processRecord.parse(JSON.parse(text));
  } catch {
    // Torn by a crash of the machine: its processes are gone as well.
    return null;
  }
}

/** When a process started, as text; `null` where there is none. */
export async function processStartTime(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
    // The second field is the program's name in parentheses and may hold anything; the 22nd is clock ticks since boot.
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  }
  const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' };
  const answer = await run('ps', ['-o', 'lstart=', '-p', String(pid)], { env }).catch(() => null);
  return answer?.stdout.trim() || null;
}

/** Changes with every start of the machine; '' where the system does not tell. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}
