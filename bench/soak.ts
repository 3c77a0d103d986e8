import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, type BenchOptions, type Figures } from './figures.ts';
import { memoryMib, openFiles } from './process-figures.ts';
import { createLoad, type Load } from './soak/load.ts';
import { startSoakServer, type Look, type SoakServer } from './soak/look.ts';

/** What is there at every moment of a soak. */
const full = { waiting: 1_000, active: 200, followers: 100 };
const small = { waiting: 50, active: 20, followers: 10 };
/** A task prints a line a second for so long, so that some end and others begin all the time. */
const taskSeconds = 120;
/** What live memory may grow by between two looks under the same load: its own noise. */
const flat = { percent: 10, mib: 8 };

/**
 * Pushes waiting, runs active and followers of their logs for `AME_SOAK_MINUTES` (10) minutes, each that ends replaced by
 * another. Memory is flat when what is live after a collection has not grown by more than a tenth (or 8 MiB) from the
 * beginning of these minutes, at full load, to their end. No handle is leaked when a server at rest afterwards has no more
 * of any kind, and no more open files, than it had at rest before, after a small load that opened what it keeps open.
 */
export async function benchSoak({ short }: BenchOptions): Promise<Figures> {
  const size = short ? small : full;
  const minutes = Number(process.env['AME_SOAK_MINUTES'] ?? (short ? 1 : 10));
  if (!(minutes > 0)) throw new Error('AME_SOAK_MINUTES must be a number of minutes');
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const server = await startSoakServer(join(directory, 'data'), size.active);
  const command = `for i in $(seq ${taskSeconds}); do echo "epoch $i of ${taskSeconds}"; sleep 1; done`;
  const load = await createLoad(server, join(directory, 'clone'), command);
  const stopped = new AbortController();
  try {
    const before = await atRest(server, load, async () => {
      await load.fill(20);
      await reach(load, { waiting: 0, active: Math.min(20, size.active) });
    });
    const following = load.follow(size.followers, stopped.signal);
    // Told below; until then it must not end the process.
    following.catch(() => {});
    await load.fill(size.waiting + size.active);
    await reach(load, size);
    const first = await server.look();
    say('first', first, openFiles(server.pid));
    const resident = await keepUp(server, load, size.waiting, minutes);
    const last = await server.look();
    say('last', last, openFiles(server.pid));
    const { ended } = await load.counts();
    stopped.abort();
    const { lines, logs } = await following;
    const after = await atRest(server, load, async () => {});
    const third = Math.ceil(resident.length / 3);
    const leaked = Object.entries(after.look.handles).filter(
      ([kind, count]) => count > (before.look.handles[kind] ?? 0),
    );
    const figures = {
      minutes,
      runsEnded: ended,
      linesFollowed: lines,
      logsFollowed: logs,
      pushesRefused: load.refused(),
      liveMibFirst: round(first.liveMib),
      liveMibLast: round(last.liveMib),
      residentMibFirst: Math.round(percentile(resident.slice(0, third), 0.5)),
      residentMibLast: Math.round(percentile(resident.slice(-third), 0.5)),
      liveMibAtRestBefore: round(before.look.liveMib),
      liveMibAtRestAfter: round(after.look.liveMib),
      handlesBefore: sum(before.look.handles),
      handlesAfter: sum(after.look.handles),
      handlesLeaked: leaked.reduce((all, [kind, count]) => all + count - (before.look.handles[kind] ?? 0), 0),
      openFilesBefore: before.files,
      openFilesAfter: after.files,
      loopP50Ms: round(last.late.p50Ms),
      loopP99Ms: round(last.late.p99Ms),
      loopMostMs: round(last.late.mostMs),
    };
    const most = Math.max(first.liveMib * (1 + flat.percent / 100), first.liveMib + flat.mib);
    return {
      name: 'soak',
      figures,
      aims: {
        liveMibLast: `<= ${round(most)}`,
        handlesLeaked: '= 0',
        openFilesAfter: `<= ${before.files}`,
        loopP99Ms: '<= 50',
      },
      met:
        last.liveMib <= most && leaked.length === 0 && after.files <= before.files && figures.loopP99Ms <= 50,
    };
  } finally {
    stopped.abort();
    await load.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** What the server holds once this was done and everything was cancelled; what closes by itself has time to. */
async function atRest(
  server: SoakServer,
  load: Load,
  work: () => Promise<void>,
): Promise<{ readonly look: Look; readonly files: number }> {
  await work();
  await load.drain();
  await sleep(15_000);
  const look = await server.look();
  const files = openFiles(server.pid);
  say('at rest', look, files);
  return { look, files };
}

/** Waits until so many run and so many wait. */
async function reach(
  load: Load,
  { waiting, active }: { readonly waiting: number; readonly active: number },
): Promise<void> {
  for (;;) {
    const now = await load.counts();
    console.error(`${now.running} running, ${now.waiting} waiting, ${now.ended} ended`);
    if (now.running >= active && now.waiting >= waiting) return;
    await load.fill(waiting);
    await sleep(5_000);
  }
}

/** Keeps as many waiting for so long, and answers with the memory that the process had meanwhile. */
async function keepUp(
  server: SoakServer,
  load: Load,
  waiting: number,
  minutes: number,
): Promise<readonly number[]> {
  const resident: number[] = [];
  for (const until = performance.now() + minutes * 60_000; performance.now() < until;) {
    await load.fill(waiting);
    resident.push(memoryMib(server.pid));
    await sleep(2_000);
  }
  return resident;
}

function say(moment: string, { liveMib, rssMib, handles }: Look, files: number): void {
  const kinds = Object.entries(handles).map(([kind, count]) => `${kind} ${count}`);
  console.error(
    `${moment}: ${round(liveMib)} MiB live, ${Math.round(rssMib)} MiB resident, ${files} open files, ${kinds.join(', ')}`,
  );
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
