import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { Log } from '../../log.ts';
import { systemClock, type Clock } from '../clock.ts';
import { attemptInPod, type PodAttemptOptions } from './attempt-in-pod.ts';
import { talkToEntry, type EntryTalk } from './entry-talk.ts';
import { writeLastWord, type LastWord } from './last-word.ts';
import { openPipes } from './pipes.ts';
import { podPlaces, type PodPlaces } from './places.ts';
import { watchTaken } from './taken.ts';

const byeFirstMs = 200;
const byeMostMs = 5_000;

export type PodOptions = Pick<
  PodAttemptOptions,
  'attempt' | 'url' | 'timeoutMs' | 'graceMs' | 'storeMs' | 'reachMs'
> & {
  readonly tokenFile: string;
  /** Aborts with the TERM that the agent's container gets when the other one has ended, or has had its time. */
  readonly term: AbortSignal;
  readonly log: Log;
  readonly places?: PodPlaces;
  readonly clock?: Clock;
};

/**
 * The agent's life in a pod: the attempt, the farewell to the entry, and then waiting for TERM, because an agent that
 * ends earlier is started anew as long as the user's container has not ended. Answers with its exit code.
 */
export async function runPod(options: PodOptions): Promise<number> {
  const { term, log, places = podPlaces, clock = systemClock } = options;
  const taken = watchTaken(places.taken, clock);
  term.addEventListener('abort', () => taken.take(), { once: true });
  if (term.aborted) taken.take();
  const pipes = await openPipes(places.io);
  const talk = talkToEntry(pipes, clock);
  try {
    const token = (await readFile(options.tokenFile, 'utf8')).trim();
    const word = await attemptInPod({
      ...options,
      token,
      places,
      pipes,
      talk,
      clock,
      taken: taken.signal,
    });
    await leaveWord(word, places, log);
    const leave = leaving(talk, taken.signal, term);
    await sayBye(talk, leave);
    if (!leave.aborted) await waitFor(leave);
    return word === null ? 0 : 1;
  } finally {
    taken.close();
    pipes.close();
  }
}

async function leaveWord(word: LastWord | null, places: PodPlaces, log: Log): Promise<void> {
  if (word === null) return;
  log.warn({ code: word.code }, word.sentence);
  // Nobody may read it: then the log alone has it.
  await writeFile(places.lastWord, writeLastWord(word)).catch(() => {});
}

/**
 * When an agent may end: with TERM. A pod that is deleted before its second container has begun gets no TERM as long
 * as the first one runs (seen: it stayed for its whole grace), so an agent that never heard of an entry goes with the pod.
 */
function leaving(talk: EntryTalk, taken: AbortSignal, term: AbortSignal): AbortSignal {
  const alone = new AbortController();
  const look = (): void => {
    if (!talk.isHeard()) alone.abort();
  };
  taken.addEventListener('abort', look, { once: true });
  if (taken.aborted) look();
  return AbortSignal.any([term, alone.signal]);
}

/** Lets the entry go. `kill` is for a command of which nobody wants to know any more, and nothing to one that ended. */
async function sayBye(talk: EntryTalk, leave: AbortSignal): Promise<void> {
  talk.say('kill');
  talk.say('bye');
  await talk
    .ask({ word: 'bye', pick: () => null, firstMs: byeFirstMs, mostMs: byeMostMs, signal: leave })
    // The entry is gone, or we may go as well: both are what was waited for.
    .catch(() => {});
}

/** Keeps the process alive meanwhile. */
async function waitFor(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 60_000);
  await once(signal, 'abort');
  clearInterval(alive);
}
