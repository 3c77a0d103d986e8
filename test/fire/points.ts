import { AsyncLocalStorage } from 'node:async_hooks';
import childProcess, { type ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

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

type Watched = { readonly life: Life; readonly meet: (kind: string, label: string) => Way | null };

const context = new AsyncLocalStorage<Watched>();

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

function lostAnswer(code: string): Error {
  return Object.assign(new Error(`${code}: what a test made of it`), { code });
}

/** Does `work` as the fault of this point, if there is one, has it. */
async function passed<T>(kind: string, label: string, code: string, work: () => Promise<T>): Promise<T> {
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

type AnyFunction = (...args: unknown[]) => unknown;

/** Puts a counter before every way to the outside that Node and the database's client offer; undone when disposed of. */
export async function watchOutside(): Promise<Disposable> {
  const undo = new DisposableStack();
  // Last of all, when everything is what it was.
  undo.defer(() => syncBuiltinESMExports());
  const replace = (target: object, name: string, make: (own: AnyFunction) => AnyFunction): void => {
    const own: unknown = Reflect.get(target, name);
    if (typeof own !== 'function') return;
    const original = own as AnyFunction;
    Reflect.set(target, name, make(original));
    undo.defer(() => void Reflect.set(target, name, original));
  };
  const asynchronous = (kind: string, target: object, name: string): void =>
    replace(
      target,
      name,
      (own) =>
        function (this: unknown, ...args: unknown[]): unknown {
          if (context.getStore() === undefined) return Reflect.apply(own, this, args);
          return passed(kind, name, 'EIO', async () => Reflect.apply(own, this, args));
        },
    );
  // The file system, and what is open in it. A handle that cannot be closed would only be one more open file.
  for (const name of Object.keys(fs.promises)) {
    const isIterator = name === 'watch' || name === 'glob';
    if (!isIterator) asynchronous('file system', fs.promises, name);
  }
  const probe = await open(fileURLToPath(import.meta.url));
  const handles: object = Object.getPrototypeOf(probe) as object;
  await probe.close();
  for (const name of [
    'read',
    'readFile',
    'write',
    'writev',
    'writeFile',
    'appendFile',
    'sync',
    'datasync',
    'truncate',
  ])
    asynchronous('file', handles, name);
  replace(childProcess, 'spawn', watchSpawn);
  replace(globalThis, 'fetch', (own) => (...args: unknown[]) => {
    const [url] = args as [unknown];
    const path = new URL(url instanceof Request ? url.url : String(url)).pathname.replaceAll(
      /[0-9a-f]{8,}|\d+/g,
      'n',
    );
    return passed('request', path, 'ECONNRESET', async () => Reflect.apply(own, undefined, args));
  });
  replace(pg.Client.prototype, 'query', watchQuery);
  syncBuiltinESMExports();
  return undo;
}

/** A program that is not found; one whose output nobody reads; one after which the process is gone. */
function watchSpawn(own: AnyFunction): AnyFunction {
  return (...args: unknown[]): unknown => {
    const watched = context.getStore();
    if (watched === undefined) return Reflect.apply(own, undefined, args);
    const [program, parameters, options] = args as [string, readonly string[], object];
    if (watched.life.dead) return Reflect.apply(own, undefined, ['/the/process/is/gone', [], options]);
    const name = program.split('/').at(-1) ?? program;
    const verb = name === 'git' ? (parameters.find((word) => /^[a-z]+-?[a-z-]*$/.test(word)) ?? '') : '';
    const way = watched.meet('process', `${name} ${verb}`.trim());
    if (way === 'before') return Reflect.apply(own, undefined, ['/nothing/is/here', [], options]);
    if (way === 'lost') {
      const unheard = ['-c', '"$@" > /dev/null 2> /dev/null; exit 129', 'sh', program, ...parameters];
      return Reflect.apply(own, undefined, ['/bin/sh', unheard, options]);
    }
    const child = Reflect.apply(own, undefined, args) as ChildProcess;
    if (way === 'after') child.prependListener('exit', () => void (watched.life.dead = true));
    return child;
  };
}

/** Statements of the database, with a callback or a promise. */
function watchQuery(own: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    const watched = context.getStore();
    const [first] = args as [unknown];
    if (watched === undefined) return Reflect.apply(own, this, args);
    const text = typeof first === 'string' ? first : String((first as { text?: unknown }).text);
    // A statement is known by its text: what asked for it is not on the stack of a pool.
    const label = text.replaceAll(/\s+/g, ' ').trim().slice(0, 90);
    const last = args.at(-1);
    const query = (values: unknown[]): Promise<unknown> =>
      passed('database', label, 'ECONNRESET', async () => Reflect.apply(own, this, values));
    if (typeof last !== 'function') return query(args);
    const callback = last as (error: unknown, result?: unknown) => void;
    query(args.slice(0, -1)).then(
      (result) => callback(null, result),
      (error: unknown) => callback(error),
    );
    return undefined;
  };
}
