import { pause, type Clock } from '../../agent/clock.ts';
import { describeError, type Log } from '../../log.ts';
import { ExecutorAwayError } from '../executor.ts';
import { ClusterRefusal, isRefused } from './cluster-error.ts';
import type { Cluster } from './client.ts';
import { jsonLines } from './json-lines.ts';
import { listPages, type Listed } from './list-pages.ts';
import type { Sightings } from './sightings.ts';

export type WatchOptions<Object extends Listed> = {
  readonly cluster: Cluster;
  readonly path: string;
  readonly selector: string;
  readonly into: Sightings<Object>;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
};

export type Watch = {
  /** What was put is the cluster's, up to what is on its way: it was listed, and a stream of changes is open. */
  isLive(): boolean;
  /** Resolves at the first moment in which it is live. */
  readonly listed: Promise<void>;
  /** Resolves once the signal has ended it. */
  readonly ended: Promise<void>;
};

/** Bookmarks come about every minute, so that a stream that says nothing for this long is believed to be dead. */
const silenceMs = 100_000;
/** A stream that lasted this long was a good one: what ends it begins the pauses anew. */
const steadyMs = 30_000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;

type Event = {
  readonly type?: string;
  readonly object?: Listed & { readonly code?: number; readonly message?: string };
};

/** The server has forgotten what we have seen last: everything is listed again. */
class ForgottenError extends Error {
  override name = 'ForgottenError';
}

/**
 * Lists everything that the selector finds and follows its changes, until the signal. Whatever goes wrong is tried
 * again after a pause that grows and is never the same twice, from where it was; a new list is only asked for where
 * the server has forgotten that place.
 */
export function watchObjects<Object extends Listed>(
  options: WatchOptions<Object>,
  signal: AbortSignal,
): Watch {
  const { cluster, path, selector, into, clock, random, log } = options;
  let live = false;
  let version: string | null = null;
  const listed = Promise.withResolvers<void>();

  async function list(): Promise<string> {
    into.begin();
    const pages = listPages<Object>(cluster, path, selector, signal);
    for (;;) {
      const page = await pages.next();
      if (page.done === true) {
        into.settle();
        return page.value;
      }
      for (const object of page.value) into.put(object);
    }
  }

  function take(event: Event): void {
    const { type, object } = event;
    if (type === 'ERROR') {
      if (object?.code === 410) throw new ForgottenError(object.message ?? 'gone');
      throw new ExecutorAwayError(`the watch ended with an error: ${object?.message ?? 'without a word'}`);
    }
    if (object === undefined) return;
    if (type === 'ADDED' || type === 'MODIFIED') into.put(object as Object);
    if (type === 'DELETED') into.remove(object as Object);
    version = object.metadata?.resourceVersion ?? version;
  }

  /** Follows from where it was until the stream ends; silence is an error as any other. */
  async function follow(from: string): Promise<void> {
    const silent = new AbortController();
    const expire = (): void => silent.abort(new ExecutorAwayError('the watch fell silent'));
    let cancel = clock.after(silenceMs, expire);
    const query = {
      watch: '1',
      labelSelector: selector,
      resourceVersion: from,
      allowWatchBookmarks: 'true',
      // Servers end a watch after half an hour at most; ours end at different times.
      timeoutSeconds: String(Math.round(240 + 120 * random())),
    };
    try {
      const stream = await cluster.stream(
        { method: 'GET', path, query },
        AbortSignal.any([signal, silent.signal]),
      );
      live = true;
      listed.resolve();
      for await (const event of jsonLines(heard(stream))) take(event as Event);
    } finally {
      live = false;
      cancel();
    }

    async function* heard(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const part of stream) {
        cancel();
        cancel = clock.after(silenceMs, expire);
        yield part;
      }
    }
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const since = clock.now();
      let retryAt: Date | null = null;
      try {
        version ??= await list();
        await follow(version);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ForgottenError || isRefused(error, 'expired')) version = null;
        retryAt = error instanceof ExecutorAwayError ? error.retryAt : null;
        // Before it is said loudly it has failed twice: servers end streams, restart, and are upgraded.
        const level = error instanceof ClusterRefusal || failures > 1 ? 'warn' : 'debug';
        log[level]({ path, error: describeError(error) }, 'the watch broke and is tried again');
      }
      failures = clock.now() - since >= steadyMs ? 0 : failures + 1;
      const grown = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10));
      const wait = Math.max(grown * (0.5 + random() / 2), (retryAt?.getTime() ?? 0) - clock.now());
      await pause(clock, wait, signal).catch(() => {});
    }
  }

  return { isLive: () => live, listed: listed.promise, ended: run() };
}
