/** A bounded number of places: who comes while all are taken waits for one, first come first served. */
export type Places = {
  /** Takes a place, to be left again; `waited`: none was free at first. */
  enter(): Promise<Disposable & { readonly waited: boolean }>;
};

export function createPlaces(count: number): Places {
  const waiting: (() => void)[] = [];
  let free = count;

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    async enter() {
      const waited = free === 0;
      if (waited) await new Promise<void>((resolve) => waiting.push(resolve));
      else free -= 1;
      let left = false;
      return {
        waited,
        [Symbol.dispose]() {
          if (!left) leave();
          left = true;
        },
      };
    },
  };
}
