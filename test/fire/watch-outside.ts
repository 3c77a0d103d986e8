import childProcess from 'node:child_process';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import { lostAnswer, passed, watchedNow } from './points.ts';
import { pathOf, watchRequest } from './watch-request.ts';
import { watchSpawn } from './watch-spawn.ts';
import { watchThread } from './watch-thread.ts';

type AnyFunction = (...args: unknown[]) => unknown;

const fileCalls = [
  'read',
  'readFile',
  'write',
  'writev',
  'writeFile',
  'appendFile',
  'sync',
  'datasync',
  'truncate',
];

/**
 * Puts a counter before every way to the outside that Node and the database's client offer; undone when disposed of.
 * What a room uses beside these fails test/fire/outside.test.ts.
 */
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
          if (watchedNow() === undefined) return Reflect.apply(own, this, args);
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
  for (const name of fileCalls) asynchronous('file', handles, name);
  for (const name of ['openSync', 'readSync', 'writeSync']) replace(fs, name, watchAtOnce(name));
  replace(fs, 'createReadStream', watchReading);
  // What every way to start a program comes down to.
  replace(childProcess.ChildProcess.prototype, 'spawn', watchSpawn);
  replace(Worker.prototype, 'postMessage', watchThread);
  replace(globalThis, 'fetch', (own) => (...args: unknown[]) => {
    const [to, init] = args as [unknown, RequestInit | undefined];
    const { url, method } = to instanceof Request ? to : { url: String(to), method: init?.method ?? 'GET' };
    return passed('request', `${method} ${pathOf(url)}`, 'ECONNRESET', async () =>
      Reflect.apply(own, undefined, args),
    );
  });
  for (const protocol of [http, https]) replace(protocol, 'request', watchRequest);
  replace(pg.Client.prototype, 'query', watchQuery);
  replace(pg.Client.prototype, 'connect', (own) => watchCall(own, () => 'connect'));
  syncBuiltinESMExports();
  return undo;
}

/** Calls that are over when they return. */
function watchAtOnce(name: string): (own: AnyFunction) => AnyFunction {
  return (own) =>
    (...args: unknown[]): unknown => {
      const watched = watchedNow();
      if (watched === undefined) return Reflect.apply(own, fs, args);
      if (watched.life.dead) throw lostAnswer('EIO');
      const way = watched.meet('file system', name);
      if (way === 'before') throw lostAnswer('EIO');
      const result = Reflect.apply(own, fs, args);
      if (way === 'lost' && name === 'openSync' && typeof result === 'number') fs.closeSync(result);
      if (way === 'lost') throw lostAnswer('EIO');
      if (way === 'after') watched.life.dead = true;
      return result;
    };
}

/** A file that is read as a stream: it cannot be opened, breaks off, or is the last thing that was read. */
function watchReading(own: AnyFunction): AnyFunction {
  return (...args: unknown[]): unknown => {
    const watched = watchedNow();
    const stream = Reflect.apply(own, fs, args) as fs.ReadStream;
    if (watched === undefined) return stream;
    const way = watched.life.dead ? 'before' : watched.meet('file system', 'createReadStream');
    if (way === 'before' || way === 'lost') stream.destroy(lostAnswer('EIO'));
    if (way === 'after') stream.once('end', () => void (watched.life.dead = true));
    return stream;
  };
}

/** Statements of the database. One is known by its text: what asked for it is not on the stack of a pool. */
function watchQuery(own: AnyFunction): AnyFunction {
  return watchCall(own, (first) => {
    const text = typeof first === 'string' ? first : String((first as { text?: unknown }).text);
    return text.replaceAll(/\s+/g, ' ').trim().slice(0, 90);
  });
}

/** What the database is asked, with a callback or a promise. */
function watchCall(own: AnyFunction, labelOf: (first: unknown) => string): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    if (watchedNow() === undefined) return Reflect.apply(own, this, args);
    const last = args.at(-1);
    const call = (values: unknown[]): Promise<unknown> =>
      passed('database', labelOf(args[0]), 'ECONNRESET', async () => Reflect.apply(own, this, values));
    if (typeof last !== 'function') return call(args);
    const callback = last as (error: unknown, result?: unknown) => void;
    call(args.slice(0, -1)).then(
      (result) => callback(null, result),
      (error: unknown) => callback(error),
    );
    return undefined;
  };
}
