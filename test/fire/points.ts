import { AsyncLocalStorage } from 'node:async_hooks';
import { fileURLToPath } from 'node:url';

/**
 * How a call to the outside goes wrong: it never arrives; its answer is lost; or it is done and answered, and the
 * process is gone in the next instant.
 */
export const ways = ['before', 'lost', 'after'] as const;
export type Way = (typeof ways)[number];

/** One place where the process talks to the outside, as often as it has come by there. */
export type Point = string;

/** What is to go wrong, once. */
export type Fault = { readonly point: Point; readonly way: Way };

/** One life of the process: ends where a fault says so, and then nothing more of it reaches the outside. */
export type Life = { dead: boolean };

/** All calls to the outside of the processes that live under it, numbered as they come. */
export type Fire = {
  /** In the order in which they were met. */
  readonly met: Point[];
  /** The faults that have come about. */
  readonly done: Fault[];
};

export type Watched = { readonly life: Life; readonly meet: (kind: string, label: string) => Way | null };

const context = new AsyncLocalStorage<Watched>();

/** The life that the code which runs now belongs to; `undefined`: none that is watched. */
export function watchedNow(): Watched | undefined {
  return context.getStore();
}

/** Begins to count; each life is then entered with `live`. */
export function createFire(faults: readonly Fault[]): Fire & { live<T>(life: Life, work: () => T): T } {
  const met: Point[] = [];
  const done: Fault[] = [];
  const times = new Map<string, number>();
  const left = new Map(faults.map((fault) => [fault.point, fault]));
  const meet = (kind: string, label: string): Way | null => {
    const site = kind === 'database' ? '' : callSite();
    // What the test itself does while it plays the process.
    if (site === null) return null;
    const place = `${kind} ${label} ${site}`.trimEnd();
    const time = (times.get(place) ?? 0) + 1;
    times.set(place, time);
    const point = `${place} #${time}`;
    met.push(point);
    const fault = left.get(point);
    if (fault === undefined) return null;
    left.delete(point);
    done.push(fault);
    return fault.way;
  };
  return { met, done, live: (life, work) => context.run({ life, meet }, work) };
}

const sources = fileURLToPath(new URL('../../src/', import.meta.url));

/** The innermost line of AME's own that led here, also over what it waited for; `null`: none did. */
function callSite(): string | null {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 40;
  const { stack = '' } = new Error('where');
  Error.stackTraceLimit = limit;
  for (const line of stack.split('\n')) {
    const at = line.indexOf(sources);
    if (at >= 0) return line.slice(at + sources.length).replace(/\)?$/, '');
  }
  return null;
}

export class GoneError extends Error {
  override name = 'GoneError';
}

export function lostAnswer(code: string): Error {
  return Object.assign(new Error(`${code}: what a test made of it`), { code });
}

/** Does `work` as the fault of this point, if there is one, has it. */
export async function passed<T>(
  kind: string,
  label: string,
  code: string,
  work: () => Promise<T>,
): Promise<T> {
  const watched = context.getStore();
  if (watched === undefined) return work();
  if (watched.life.dead) throw new GoneError('the process is gone');
  const way = watched.meet(kind, label);
  if (way === 'before') throw lostAnswer(code);
  const result = await work();
  if (watched.life.dead || way === 'lost') await letGo(result);
  if (watched.life.dead) throw new GoneError('the process is gone');
  if (way === 'lost') throw lostAnswer(code);
  if (way === 'after') watched.life.dead = true;
  return result;
}

/** An open file of which nobody will ever hear is closed, as the end of a process does. */
async function letGo(result: unknown): Promise<void> {
  if (typeof result === 'object' && result !== null && 'fd' in result && 'close' in result)
    await (result as { close(): Promise<void> }).close();
}
