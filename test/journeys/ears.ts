import { Client } from 'pg';

/**
 * What a test waits on instead of the clock: each notice of the database, and each word that the test itself says.
 * It never hints the loops.
 */
export type Ears = {
  /** Resolves at the next word, and at once where one was said since the last time. */
  next(): Promise<void>;
  say(): void;
  /** What was said before now is no word any more. */
  forget(): void;
  close(): Promise<void>;
};

export async function openEars(url: string): Promise<Ears> {
  const client = new Client({ connectionString: url, application_name: 'test' });
  let said = false;
  let waiting: (() => void)[] = [];
  // A database that is dropped ends this session, and nobody waits any more.
  client.on('error', () => {});
  client.on('notification', say);
  await client.connect();
  await client.query('listen ame');

  function say(): void {
    said = waiting.length === 0;
    const heard = waiting;
    waiting = [];
    for (const resolve of heard) resolve();
  }

  return {
    next() {
      const heard = said;
      said = false;
      return heard ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
    say,
    forget: () => void (said = false),
    close: () => client.end(),
  };
}

/** Looks at each word until `look` answers with something. */
export async function watch<T>(ears: Ears, look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await ears.next();
  }
}
