/** One turn of those who must not do the same side by side; leaving it without having taken it is nothing. */
export type Turn = Disposable & {
  /**
   * Takes the turn of a key. Where another has it: waits until that one has left, and answers false; then it is to be
   * asked what there is left to do.
   */
  take(key: string): Promise<boolean>;
};

export type Turns = { open(): Turn };

/** Turns within this process. Two processes that do the same side by side do it twice, which is right and only dearer. */
export function createTurns(): Turns {
  const taken = new Map<string, Promise<void>>();
  return {
    open() {
      let leave: (() => void) | null = null;
      return {
        async take(key) {
          const other = taken.get(key);
          if (other !== undefined) {
            await other;
            return false;
          }
          const { promise, resolve } = Promise.withResolvers<void>();
          taken.set(key, promise);
          leave = () => {
            taken.delete(key);
            resolve();
          };
          return true;
        },
        [Symbol.dispose]() {
          leave?.();
          leave = null;
        },
      };
    },
  };
}
