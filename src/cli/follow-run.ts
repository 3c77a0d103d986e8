import { setTimeout as delay } from 'node:timers/promises';
import { plainLine } from '../core/escape.ts';
import { isFinal } from '../core/run.ts';
import type { AttemptShape } from '../server/api/shapes.ts';
import { answer, type Client } from './client.ts';
import { ServerAwayFault } from './fault.ts';
import { followLog } from './follow-log.ts';
import { createLineReader } from './log-lines.ts';
import { print, type Terminal } from './terminal.ts';
import { logLine, pad, textWidth } from './text.ts';
import { attemptTook, painter, why } from './words.ts';

export type RunDetail = Awaited<ReturnType<typeof readRun>>;

/** How long a server may be away, in milliseconds. */
const patienceMs = 60_000;
/** Names longer than this push their lines to the right alone. */
const widestName = 28;

/** One run with its attempts. */
export function readRun(client: Client, id: number, signal?: AbortSignal) {
  const options = signal ? { init: { signal } } : {};
  return answer(client.api.runs[':id'].$get({ param: { id: String(id) } }, options));
}

/**
 * Shows what happens in a run as it happens, until it has ended: what each task does and what it prints. Answers
 * with the run as it ended. A server that is away for less than a minute is waited for.
 */
export async function followRun(
  terminal: Terminal,
  client: Client,
  id: number,
  options: { readonly signal?: AbortSignal; readonly task?: string } = {},
): Promise<RunDetail> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const followed = new Map<number, Promise<void>>();
  const latest = new Map<number, AttemptShape>();
  for (;;) {
    const run = await readPatiently(client, id, signal);
    const mine = run.attempts.filter(({ task }) => options.task === undefined || task === options.task);
    const width = Math.min(widestName, Math.max(...mine.map(({ task }) => textWidth(plainLine(task)))));
    for (const attempt of mine) {
      latest.set(attempt.id, attempt);
      if (followed.has(attempt.id) || attempt.state === 'waiting' || attempt.state === 'queued') continue;
      const following = followAttempt({ terminal, client, attempt, width, signal });
      // A failure of one ends them all, and is thrown below.
      following.catch(() => failed.abort());
      followed.set(attempt.id, following);
    }
    if (isFinal(run.state)) {
      await Promise.all(followed.values());
      return run;
    }
    // A long run is a long answer, so it is asked for less often.
    await delay(Math.min(2_000, 200 + run.attempts.length), undefined, { signal }).catch(async (error: unknown) => {
      await Promise.all(followed.values());
      throw error;
    });
  }
}

async function readPatiently(client: Client, id: number, signal: AbortSignal): Promise<RunDetail> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return await readRun(client, id, signal);
    } catch (error) {
      if (!(error instanceof ServerAwayFault) || performance.now() > until) throw error;
      await delay(500, undefined, { signal });
    }
  }
}

type Followed = {
  readonly terminal: Terminal;
  readonly client: Client;
  readonly attempt: AttemptShape;
  readonly width: number;
  readonly signal: AbortSignal;
};

async function followAttempt({ terminal, client, attempt, width, signal }: Followed): Promise<void> {
  const { colors } = terminal;
  const name = pad(plainLine(attempt.task), width);
  const say = (text: string): void => print(terminal, `${colors.bold(name)}   ${text}`);
  if (attempt.reusedFrom !== null) return say(colors.dim('taken over from an earlier run'));
  const tries = attempt.number > 1 ? ` (try ${attempt.number})` : '';
  if (attempt.startedAt !== null || !isFinal(attempt.state)) {
    say(`${painter(colors, 'running')('running')}${tries}`);
    const reader = createLineReader((text) => print(terminal, `${colors.dim(name)} ${colors.dim('|')} ${logLine(text)}`));
    for await (const { pieces } of followLog(client, attempt.id, { signal })) reader.push(pieces);
    reader.end();
  }
  say(endLine(terminal, await ended(client, attempt, signal), tries));
}

/** The log ends when the attempt is over, so one more look says how. */
async function ended(client: Client, attempt: AttemptShape, signal: AbortSignal): Promise<AttemptShape> {
  if (isFinal(attempt.state)) return attempt;
  void client;
  void signal;
  return attempt;
}

function endLine({ colors }: Terminal, attempt: AttemptShape, tries: string): string {
  const time = attemptTook(attempt);
  const reason = why(attempt);
  const text = `${painter(colors, attempt.state)(attempt.state)}${tries}${time === '' ? '' : ` after ${time}`}`;
  return reason === '' ? text : `${text}: ${plainLine(reason)}`;
}
