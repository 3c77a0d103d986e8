/** What the entry's container has used, as the kernel counts it; null where it does not say. */
export type Use = {
  /** Bytes of memory that are no page cache. */
  readonly anonymous: number | null;
  readonly cpuSeconds: number | null;
  /** Processes that were ended for want of memory. */
  readonly outOfMemory: number | null;
};

/** A word of the entry. */
export type EntryWord =
  | { readonly kind: 'ready' }
  | { readonly kind: 'started' }
  /** The pod is being taken away: of the hook that comes before TERM. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'stat'; readonly use: Use }
  /** `nonce` of the question that it answers; null where nobody asked. */
  | { readonly kind: 'exit'; readonly code: number; readonly nonce: string | null; readonly use: Use };

/** Reads one line of the entry; null where it is none: whoever runs in its container can write to the same pipe. */
export function readEntryWord(line: string): EntryWord | null {
  const [word, ...rest] = line.split(' ');
  if (word === 'ready' || word === 'started' || word === 'taken') return { kind: word };
  if (word === 'stat') return { kind: 'stat', use: readUse(rest) };
  const [code = '', nonce = '', ...use] = rest;
  if (word !== 'exit' || !/^\d{1,3}$/.test(code) || !/^(-|\w{1,40})$/.test(nonce)) return null;
  return { kind: 'exit', code: Number(code), nonce: nonce === '-' ? null : nonce, use: readUse(use) };
}

function readUse(words: readonly string[]): Use {
  const of = (name: string): number | null => {
    const text = words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
    return /^\d{1,19}$/.test(text) ? Number(text) : null;
  };
  const nanoseconds = of('cpu');
  return {
    anonymous: of('anon'),
    cpuSeconds: nanoseconds === null ? null : nanoseconds / 1e9,
    outOfMemory: of('oom'),
  };
}
