/** Tells whoever waits in this process that something may have changed. Never needed: everybody also polls. */
export type Hints = {
  say(topic: string): void;
  /** Calls back at each hint on the topic until `stop` is called. */
  listen(topic: string, heard: () => void): () => void;
  /** Resolves at the next hint on the topic, after `ms`, or when the signal aborts. */
  wait(topic: string, ms: number, signal?: AbortSignal): Promise<void>;
};

export function createHints(): Hints {
  const listeners = new Map<string, Set<() => void>>();

  function listen(topic: string, heard: () => void): () => void {
    const of = listeners.get(topic) ?? new Set();
    listeners.set(topic, of);
    of.add(heard);
    return () => {
      of.delete(heard);
      if (of.size === 0 && listeners.get(topic) === of) listeners.delete(topic);
    };
  }

  return {
    say(topic) {
      // A copy: who hears it may stop listening or begin to.
      for (const heard of Array.from(listeners.get(topic) ?? [])) heard();
    },
    listen,
    wait: (topic, ms, signal) =>
      new Promise((resolve) => {
        const timer = setTimeout(finish, ms);
        const stop = listen(topic, finish);
        signal?.addEventListener('abort', finish, { once: true });
        if (signal?.aborted) finish();
        function finish(): void {
          clearTimeout(timer);
          stop();
          signal?.removeEventListener('abort', finish);
          resolve();
        }
      }),
  };
}
