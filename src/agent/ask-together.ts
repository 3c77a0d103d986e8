/** The answer to one key; undefined where the answer names it not. */
export type AskOne<Key, Answer> = (key: Key) => Promise<Answer | undefined>;

/**
 * Turns many questions about one thing each into few about many: one is under way at a time, and what is asked
 * meanwhile goes along with the next, at most `most` at once. A question that fails fails for all that were in it.
 */
export function askTogether<Key, Answer>(
  ask: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Answer>>,
  most: number,
): AskOne<Key, Answer> {
  type Waiting = { readonly key: Key } & PromiseWithResolvers<Answer | undefined>;
  let waiting: Waiting[] = [];
  let isAsking = false;

  async function askAll(): Promise<void> {
    isAsking = true;
    while (waiting.length > 0) {
      const now = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        const answers = await ask([...new Set(now.map(({ key }) => key))]);
        for (const { key, resolve } of now) resolve(answers.get(key));
      } catch (error) {
        for (const { reject } of now) reject(error);
      }
    }
    isAsking = false;
  }

  return (key) => {
    const one = { key, ...Promise.withResolvers<Answer | undefined>() };
    waiting.push(one);
    // After all that is asked in this very moment.
    if (!isAsking) queueMicrotask(() => !isAsking && void askAll());
    return one.promise;
  };
}
