import { setTimeout as delay } from 'node:timers/promises';
import { plainLine } from '../core/escape.ts';
import { isFinal } from '../core/run.ts';
import type { AttemptShape } from '../server/api/shapes.ts';
import { answer, type Client } from './client.ts';
import { ServerAwayFault } from './fault.ts';
import { followLog, type FollowOptions } from './follow-log.ts';
import { createLineReader } from './log-lines.ts';
import { print, type Terminal } from './terminal.ts';
import { logLine, pad, textWidth } from './text.ts';
import { attemptTook, attemptWhy, coreUse, memoryUse, painter, why } from './words.ts';

export type RunDetail = Awaited<ReturnType<typeof readRun>>;

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
  const broken = new AbortController();
  const signal = AbortSignal.any([broken.signal, ...(options.signal ? [options.signal] : [])]);
  const logs = new Map<number, FollowedLog>();
  const told = new Set<number>();
  const waits = new Map<number, string>();
  for (;;) {
    const run = await readPatiently(client, id, signal);
    const mine = run.attempts.filter(({ task }) => options.task === undefined || task === options.task);
    const say = speaker(terminal, mine);
    const begin = (attempt: AttemptShape): void => {
      if (logs.has(attempt.id) || !hasLog(attempt)) return;
      say(attempt, beginOf(terminal, attempt));
      const ended = new AbortController();
      const shown = showLog(client, attempt, (line) => say(attempt, line, '|'), {
        signal,
        ended: ended.signal,
      });
      shown.catch((error: unknown) => broken.abort(error));
      logs.set(attempt.id, { shown, ended });
    };
    for (const attempt of mine.filter((one) => isFinal(one.state) && !told.has(one.id)).toSorted(byEnd)) {
      begin(attempt);
      const log = logs.get(attempt.id);
      log?.ended.abort();
      // The last word about a task comes after the last line that it printed.
      await log?.shown;
      say(attempt, endOf(terminal, attempt));
      told.add(attempt.id);
    }
    for (const attempt of mine.filter((one) => one.state === 'queued' && one.pendingWhy !== null)) {
      const wait = plainLine(attemptWhy(attempt));
      if (waits.get(attempt.id) !== wait) say(attempt, terminal.colors.dim(wait));
      waits.set(attempt.id, wait);
    }
    // After those that ended: it was their end that let these begin.
    mine.forEach(begin);
    if (isFinal(run.state)) return run;
    // A long run is a long answer, so it is asked for less often.
    await delay(Math.min(2_000, 200 + run.attempts.length), undefined, { signal }).catch((error: unknown) => {
      throw broken.signal.aborted ? broken.signal.reason : error;
    });
  }
}

type FollowedLog = { readonly shown: Promise<void>; readonly ended: AbortController };

function byEnd(a: AttemptShape, b: AttemptShape): number {
  return (a.finishedAt ?? '').localeCompare(b.finishedAt ?? '');
}

/** Milliseconds that a server may be away. */
const patienceMs = 60_000;

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

/** Names longer than this push their lines to the right alone. */
const widestName = 28;

function speaker({ stdout, colors }: Terminal, attempts: readonly AttemptShape[]) {
  const width = Math.min(widestName, Math.max(0, ...attempts.map(({ task }) => textWidth(plainLine(task)))));
  return (attempt: AttemptShape, text: string, bar: ' ' | '|' = ' '): void => {
    const name = pad(plainLine(attempt.task), width);
    const head = bar === ' ' ? colors.bold(name) : colors.dim(`${name} |`);
    print({ stdout }, `${head}${bar === ' ' ? '   ' : ' '}${text}`);
  };
}

/** Whether it printed something, or may still: what never started said nothing. */
function hasLog({ state, startedAt, reusedFrom }: AttemptShape): boolean {
  if (reusedFrom !== null) return false;
  return state === 'running' || (isFinal(state) && (startedAt !== null || state === 'failed'));
}

async function showLog(
  client: Client,
  attempt: AttemptShape,
  say: (line: string) => void,
  options: FollowOptions,
): Promise<void> {
  const reader = createLineReader((text) => say(logLine(text)));
  for await (const { pieces } of followLog(client, attempt.id, options)) reader.push(pieces);
  reader.end();
}

function beginOf({ colors }: Terminal, attempt: AttemptShape): string {
  return painter(colors, 'running')('running') + triesOf(attempt);
}

function endOf({ colors }: Terminal, attempt: AttemptShape): string {
  if (attempt.reusedFrom !== null) return colors.dim('taken over from an earlier run');
  const state = painter(colors, attempt.state)(attempt.state) + triesOf(attempt);
  const time = attemptTook(attempt);
  const cores = coreUse(attempt);
  const used = [memoryUse(attempt), cores === '' ? '' : `${cores} cores`].filter((part) => part !== '');
  const use = used.length === 0 ? '' : colors.dim(` (${used.join(', ')})`);
  const reason = plainLine(why(attempt));
  return `${state}${time === '' ? '' : ` after ${time}`}${use}${reason === '' ? '' : `: ${reason}`}`;
}

function triesOf({ number }: AttemptShape): string {
  return number > 1 ? ` (try ${number})` : '';
}
