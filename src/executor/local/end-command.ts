import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { pause, type Clock } from '../../agent/clock.ts';
import type { RunningCommand } from '../../agent/run-attempt.ts';
import type { Ending } from '../../core/attempt.ts';
import { watchMemory } from './peak-memory.ts';
import { askToEnd, findProcesses, killFamily, signalGroup, type ProcessFamily } from './processes.ts';

/** How often a group that was asked to end is looked at after its first process is gone. */
const lookEveryMs = 50;
/** An output that stays silent for two such looks although all processes are gone is closed. */
const idleLookMs = 1_000;

export type ExitedCommand = { readonly ending: Ending; readonly at: Date };

type Request = {
  readonly family: ProcessFamily;
  readonly exited: Promise<ExitedCommand>;
  readonly outputs: readonly Socket[];
  readonly leash: Writable;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** Waits for a command, or ends it when the signal says so, and sees to it that nothing of it is left. */
export async function endCommand(request: Request): RunningCommand['ended'] {
  const { family, exited, clock, signal } = request;
  const memory = watchMemory(family, clock);
  const asked = Promise.withResolvers<null>();
  const ask = (): void => asked.resolve(null);
  signal.addEventListener('abort', ask, { once: true });
  if (signal.aborted) ask();
  const first = await Promise.race([exited, asked.promise]);
  signal.removeEventListener('abort', ask);
  if (first === null) await endGently(request);
  memory.end();
  await killFamily(family, clock);
  const { ending, at } = await exited;
  request.leash.destroy();
  for (const output of request.outputs) closeWhenIdle(output, clock);
  return { ending, at, peakMemoryBytes: memory.peak() };
}

/** TERM to everyone; then all of them have the grace to end, not just the shell that leads the group. */
async function endGently({ family, exited, clock, graceMs }: Request): Promise<void> {
  const grace = new AbortController();
  const cancel = clock.after(graceMs, () => grace.abort());
  const out = new Promise<void>((resolve) =>
    grace.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  let left = false;
  void exited.then(() => (left = true));
  // A look at the processes that fails leaves the group asked, and the grace does the rest.
  await askToEnd(family, clock).catch(() => {});
  await Promise.race([exited, out]);
  while (!grace.signal.aborted && (await findProcesses(family, clock)).length > 0) {
    await pause(clock, lookEveryMs, grace.signal).catch(() => {}); // The grace is over: the loop sees it.
  }
  cancel();
  // The group's id is its own as long as its first process has not been waited for.
  if (!left) signalGroup(family.group, 'SIGKILL');
}

/**
 * A process that hid from us (another session, an empty environment) may hold an output open for ever. Nothing
 * is lost: what has been written is read first, however slowly, and only then is the output idle.
 */
function closeWhenIdle(output: Socket, clock: Clock): void {
  let before = -1;
  const look = (): void => {
    if (output.closed) return;
    if (output.readableLength === 0 && output.bytesRead === before) output.destroy();
    else before = output.readableLength === 0 ? output.bytesRead : -1;
    if (!output.destroyed) cancel = clock.after(idleLookMs, look);
  };
  let cancel = clock.after(idleLookMs, look);
  output.once('close', () => cancel());
}
