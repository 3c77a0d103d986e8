import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Clock } from '../../agent/clock.ts';
import type { RunningCommand } from '../../agent/run-attempt.ts';
import { endCommand, type ExitedCommand } from './end-command.ts';
import { closeWriteEnds, type OpenOutputs, type Output } from './outputs.ts';
import { processStartTime, readBootId, writeProcessRecord } from './process-record.ts';
import { signalGroup } from './processes.ts';
import { supervisorName, supervisorScript } from './supervisor.ts';

/** Linux takes no single argument over 128 KiB. */
const longestArgument = 100 * 1024;

export type CommandRequest = {
  /** The attempt's own directory, for what is kept about the process. */
  readonly directory: string;
  readonly workspace: string;
  readonly openOutputs: OpenOutputs;
  readonly script: string;
  readonly env: (mark: string) => Record<string, string>;
  /** Between TERM and KILL. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Ends the command: TERM to its group, then KILL to all that is left of it. */
  readonly signal: AbortSignal;
};

/** Starts a command under its supervisor; throws where the system refuses, as with an environment that is too large. */
export async function startCommand(request: CommandRequest): Promise<RunningCommand> {
  const { directory, clock, signal, graceMs } = request;
  const mark = randomBytes(16).toString('hex');
  const script = await scriptArguments(request);
  const outputs = await request.openOutputs();
  const streams = [outputs[0].stream, outputs[1].stream] as const;
  let leash: Writable | null = null;
  try {
    const begunAt = clock.now();
    const child = spawnSupervisor(request, mark, script, outputs);
    leash = leashOf(child);
    const exited = exitOf(child, clock, signal);
    const pid = await spawned(child);
    // Written down before the first word of the command runs, so that no server after this one can miss it.
    const startedAt = (await processStartTime(pid)) ?? '';
    await writeProcessRecord(directory, { pid, mark, startedAt, bootId: await readBootId() });
    const now = new Date(clock.now());
    leash.write('go\n');
    const ended = endCommand({
      family: { group: pid, mark, begunAt },
      exited,
      outputs: streams,
      leash,
      graceMs,
      clock,
      signal,
    });
    return { startedAt: now, stdout: streams[0], stderr: streams[1], ended };
  } catch (error) {
    // A supervisor that was not told to go ends with its leash.
    leash?.destroy();
    for (const stream of streams) stream.destroy();
    throw error;
  }
}

async function scriptArguments(request: CommandRequest): Promise<readonly string[]> {
  if (Buffer.byteLength(request.script) <= longestArgument) return ['-c', request.script];
  const file = join(request.directory, 'script');
  await writeFile(file, request.script, { mode: 0o600 });
  return ['file', file];
}

function spawnSupervisor(
  request: CommandRequest,
  mark: string,
  script: readonly string[],
  outputs: readonly [Output, Output],
): ChildProcess {
  const graceSeconds = String(Math.ceil(request.graceMs / 1_000));
  try {
    return spawn('/bin/sh', ['-c', supervisorScript, supervisorName, graceSeconds, mark, ...script], {
      cwd: request.workspace,
      env: request.env(mark),
      // A session and process group of its own.
      detached: true,
      stdio: ['ignore', outputs[0].writeEnd, outputs[1].writeEnd, 'pipe'],
    });
  } finally {
    closeWriteEnds(outputs);
  }
}

function leashOf(child: ChildProcess): Writable {
  // Out of file handles a child has no streams at all, whatever its type says.
  const leash = 'stdio' in child ? child.stdio[3] : null;
  if (!(leash instanceof Writable)) throw new Error('the supervisor has no leash');
  // The far end goes with the command; nobody has to hear of a word that came too late.
  leash.on('error', () => {});
  return leash;
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () =>
      child.pid === undefined ? reject(new Error('the command has no process id')) : resolve(child.pid),
    );
  });
}

function exitOf(child: ChildProcess, clock: Clock, signal: AbortSignal): Promise<ExitedCommand> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, exitSignal) => {
      // What a command leaves in the background ends with it. At once, while the group's id is surely its own;
      // a command that was asked to end may have children that are still at it.
      if (!signal.aborted && child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      resolve({ ending: { exitCode, signal: exitSignal }, at: new Date(clock.now()) });
    });
  });
}
