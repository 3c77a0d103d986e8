import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttemptDoor, AttemptInput, AttemptReport, Fault } from '../../core/attempt.ts';
import { createContent } from '../content.ts';
import { createSignedContent } from '../signed-content.ts';
import type { FileStates } from '../file-states.ts';
import { createStoreReach } from '../store-reach.ts';
import type { AttemptHost, RunningCommand } from '../run-attempt.ts';
import type { PodAttemptOptions } from './attempt-in-pod.ts';
import { openLogSpool } from './log-spool.ts';
import type { PodPlaces } from './places.ts';
import { abandonWhenGone, startPodCommand } from './pod-command.ts';
import type { ProgressFile } from './resume.ts';
import { spoolKey } from './sealed-file.ts';
import { shipSpooled } from './ship-spooled.ts';
import { writeScript } from './write-script.ts';

/** How much of a log waits on the disk while the door is away; then the command waits. */
const spoolBytes = 256 * 1024 ** 2;
/** Who held a machine for longer than this after the command's end hears of it. */
const longStoringMs = 60_000;
/** How often the entry is asked whether it is there. */
const [askFirstMs, askMostMs] = [100, 5_000];

export type PodHost = AttemptHost<FileStates> & {
  /** Resolves once the log is sent, or cannot be. */
  shipped(): Promise<void>;
  /** What the report blames. */
  fault(): Fault | null;
};

type Around = {
  readonly progress: ProgressFile;
  readonly door: AttemptDoor;
  /** What the door has said already. */
  readonly input: AttemptInput | null;
  /**
   * Called once the command has ended, or will never begin: from here on the machine waits for us alone. Answers with
   * since when, of which an earlier agent may know more.
   */
  readonly ended: (at: Date) => Promise<Date>;
};

/** An attempt's host in a pod: the command runs in the container next door, and every step outlives this process. */
export function podHost(options: PodAttemptOptions, around: Around): PodHost {
  const { places, pipes, talk, timeoutMs, graceMs, taken, clock, log } = options;
  const { progress, door, ended } = around;
  const { signed } = door;
  const key = spoolKey(options.token);
  const reach = createStoreReach();
  const onFailure = (error: unknown): void =>
    log.warn({ attempt: options.attempt, error }, 'the store is away');
  /** Files go straight to the store where it takes what AME signs. */
  const contentOf = ({ attempt, signal }: { readonly attempt: number; readonly signal: AbortSignal }) =>
    createContent({
      clock,
      ...(signed &&
        createSignedContent({ door: { ...door, signed }, attempt, clock, signal, onFailure, reach })),
    });
  async function endOf(command: RunningCommand): RunningCommand['ended'] {
    try {
      const end = await command.ended;
      return { ...end, at: await ended(end.at) };
    } catch (error) {
      await ended(new Date(clock.now()));
      throw error;
    }
  }
  let shipping: Promise<unknown> = Promise.resolve();
  let fault: Fault | null = null;
  return {
    clock,
    log,
    fault: () => fault,
    async shipped() {
      await shipping;
    },
    collect: (request) => contentOf(request).collect(request),
    async fetch(request) {
      const { restored } = progress.now();
      if (restored !== null) return restored.states;
      const states = await contentOf(request).fetch(request);
      await progress.save({ restored: { root: request.root, states } });
      return states;
    },
    door: {
      ...door,
      async input(attempt) {
        const input = around.input ?? (await door.input(attempt));
        return { ...input, root: progress.now().restored?.root ?? input.root };
      },
      async finish(attempt, report) {
        await ended(new Date(clock.now()));
        ({ fault } = report);
        await door.finish(attempt, withNotice(withStoringTime(report), reach.notice()));
      },
    },
    async clear() {
      if (progress.now().restored === null) await makeDirectories(places);
    },
    async ready(signal) {
      if (progress.now().startedAt !== null) return;
      await talk
        .ask({ word: 'stat', pick: (word) => word, firstMs: askFirstMs, mostMs: askMostMs, signal })
        .catch(abandonWhenGone);
    },
    async start(input, signal) {
      const { startedAt } = progress.now();
      if (startedAt === null) await writeScript(places.io, input.script);
      const command = await startPodCommand({
        pipes,
        talk,
        startedAt,
        timeoutMs,
        graceMs,
        clock,
        signal,
        taken,
      });
      await progress.save({ startedAt: command.startedAt });
      return { ...command, ended: endOf(command) };
    },
    ship(request) {
      const shipped = shipSpooled(request, openLogSpool(join(places.state, 'log'), spoolBytes, key));
      shipping = shipped.catch(() => null);
      return shipped;
    },
  };
}

async function makeDirectories({ workspace, home, temporary }: PodPlaces): Promise<void> {
  for (const directory of [workspace, home, temporary]) {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
}

/** A machine is held while a task that has ended is being stored: that is not to go unseen. */
function withStoringTime(report: AttemptReport): AttemptReport {
  const { endedAt, storedAt } = report.phases;
  const milliseconds = endedAt && storedAt ? storedAt.getTime() - endedAt.getTime() : 0;
  if (milliseconds < longStoringMs) return report;
  const notice = `Storing what it left took ${Math.round(milliseconds / 1_000)} s, during which it held its machine.`;
  return withNotice(report, notice);
}

function withNotice(report: AttemptReport, notice: string | null): AttemptReport {
  return notice === null ? report : { ...report, notices: [...report.notices, notice] };
}
