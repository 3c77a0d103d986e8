import type { Clock } from '../clock.ts';
import { readEntryWord, type EntryWord } from './entry-words.ts';
import type { Pipes } from './pipes.ts';

/** The user's container ended without a word, so that nobody here knows how. */
export class EntryGoneError extends Error {
  override name = 'EntryGoneError';
}

export type EntryTalk = {
  /** Calls back with every word until the answer is called. */
  listen(hear: (word: EntryWord) => void): () => void;
  /**
   * Says a word, again and again with pauses from `firstMs` that double up to `mostMs`, until the entry says one that
   * `pick` takes: a word may be lost to a reader that dies. Throws `EntryGoneError`, or the signal's reason.
   */
  ask<Answer>(question: Question<Answer>): Promise<Answer>;
  say(word: string): void;
  /** Resolves once the entry is gone. */
  readonly gone: Promise<void>;
  /** Whether it ever said a word to this agent. */
  readonly isHeard: () => boolean;
};

export type Question<Answer> = {
  readonly word: string;
  /** What a word says about it; null where it is no answer. */
  readonly pick: (word: EntryWord) => Answer | null;
  readonly firstMs: number;
  readonly mostMs: number;
  readonly signal?: AbortSignal;
};

/** A longer line is none of the entry's, and is not kept. */
const longestLine = 4_096;

/** The conversation with the entry over `ctl` and `rep`. */
export function talkToEntry({ rep, say }: Pick<Pipes, 'rep' | 'say'>, clock: Clock): EntryTalk {
  const ears = new Set<(word: EntryWord) => void>();
  const gone = Promise.withResolvers<void>();
  let isGone = false;
  let isHeard = false;
  let line = '';
  rep.on('data', (bytes: Buffer) => {
    const lines = (line + bytes.toString('latin1')).split('\n');
    line = (lines.pop() ?? '').slice(-longestLine);
    for (const each of lines) {
      const word = readEntryWord(each);
      if (word === null) continue;
      // The word of a hook says nothing of the entry.
      isHeard ||= word.kind !== 'taken';
      for (const hear of ears) hear(word);
    }
  });
  rep.once('close', () => {
    isGone = true;
    gone.resolve();
  });
  // How it broke makes no difference: the far end is not there any more.
  rep.on('error', () => {});

  function listen(hear: (word: EntryWord) => void): () => void {
    ears.add(hear);
    return () => ears.delete(hear);
  }

  function ask<Answer>(question: Question<Answer>): Promise<Answer> {
    const { word, pick, mostMs, signal } = question;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const unlisten = listen((heard) => {
      const answer = pick(heard);
      if (answer !== null) resolve(answer);
    });
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    void gone.promise.then(() => reject(new EntryGoneError('the entry is gone')));
    let cancel = (): void => {};
    const repeat = (milliseconds: number): void => {
      if (!isGone && !signal?.aborted) say(word);
      cancel = clock.after(milliseconds, () => repeat(Math.min(milliseconds * 2, mostMs)));
    };
    repeat(question.firstMs);
    return promise.finally(() => {
      cancel();
      unlisten();
      signal?.removeEventListener('abort', abort);
    });
  }

  return {
    listen,
    ask,
    gone: gone.promise,
    isHeard: () => isHeard,
    say: (word) => {
      if (!isGone) say(word);
    },
  };
}
