import { Client } from 'pg';

/**
 * What a test waits on instead of the clock: each notice of the database, and each word that the test itself says.
 * It never hints the loops.
 */
export type Ears = {
  /** Resolves at the next word, and at once with any that was said since the last one was waited for. */
  next(): Promise<string>;
  say(word: string): void;
  close(): Promise<void>;
};

export async function openEars(url: string): Promise<Ears> {
  const client = new Client({ connectionString: url, application_name: 'test' });
  const words: string[] = [];
  let waiting: ((word: string) => void)[] = [];
  // A database that is dropped ends this session, and nobody waits any more.
  client.on('error', () => {});
  client.on('notification', ({ payload = '' }) => say(payload));
  await client.connect();
  await client.query('listen ame');

  function say(word: string): void {
    words.push(word);
    const [first = ''] = words.splice(0, words.length);
    const heard = waiting;
    waiting = [];
    if (heard.length === 0) words.push(first);
    for (const resolve of heard) resolve(first);
  }

  return {
    next() {
      const [word] = words.splice(0, words.length);
      return word === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(word);
    },
    say,
    close: () => client.end(),
  };
}
