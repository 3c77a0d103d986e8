/** What was added last: what is forgotten is asked for again. */
export type Recent<T> = {
  has(what: T): boolean;
  add(what: T): void;
  delete(what: T): void;
};

export function createRecent<T>(most = 20_000): Recent<T> {
  const all = new Set<T>();
  return {
    has: (what) => all.has(what),
    add(what) {
      all.delete(what);
      all.add(what);
      if (all.size <= most) return;
      for (const oldest of all) {
        all.delete(oldest);
        break;
      }
    },
    delete(what) {
      all.delete(what);
    },
  };
}
