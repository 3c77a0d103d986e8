export type FakeObject = {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly [field: string]: unknown;
};

export type Change = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: FakeObject };

export type Wish = { readonly metadata?: Partial<FakeObject['metadata']>; readonly [field: string]: unknown };

/** Objects of one cluster by kind, with versions as an API server counts them. */
export type Store = {
  all(kind: string): readonly FakeObject[];
  find(kind: string, name: string): FakeObject | undefined;
  /** Creates or replaces. */
  put(kind: string, name: string, wish: Wish): FakeObject;
  remove(kind: string, name: string): void;
  version(): string;
};

export function createStore(changed: (kind: string, change: Change) => void): Store {
  const kinds = new Map<string, Map<string, FakeObject>>();
  let version = 100;
  const of = (kind: string): Map<string, FakeObject> => {
    const found = kinds.get(kind) ?? new Map<string, FakeObject>();
    kinds.set(kind, found);
    return found;
  };
  const next = (): string => String((version += 1));
  return {
    all: (kind) => [...of(kind).values()],
    find: (kind, name) => of(kind).get(name),
    put(kind, name, wish) {
      const before = of(kind).get(name);
      const resourceVersion = next();
      const object: FakeObject = {
        ...before,
        ...wish,
        metadata: {
          uid: `uid-${resourceVersion}`,
          creationTimestamp: '2026-05-01T12:00:00Z',
          ...before?.metadata,
          ...wish.metadata,
          name,
          resourceVersion,
        },
      };
      of(kind).set(name, object);
      changed(kind, { type: before === undefined ? 'ADDED' : 'MODIFIED', object });
      return object;
    },
    remove(kind, name) {
      const object = of(kind).get(name);
      if (object === undefined) return;
      of(kind).delete(name);
      const gone = { ...object, metadata: { ...object.metadata, resourceVersion: next() } };
      changed(kind, { type: 'DELETED', object: gone });
    },
    version: () => String(version),
  };
}

/** Whether labels meet a selector of the forms that are used: `a=b`, `a in (b,c)` and `!a`. */
export function selects(selector: string, labels: Readonly<Record<string, string>> = {}): boolean {
  const parts = selector.match(/[^,(]+(\([^)]*\))?/g) ?? [];
  return parts.every((part) => {
    const set = /^(\S+) in \((.*)\)$/.exec(part);
    if (set) return (set[2] ?? '').split(',').includes(labels[set[1] ?? ''] ?? '');
    if (part.startsWith('!')) return labels[part.slice(1)] === undefined;
    const [key = '', value] = part.split('=');
    return labels[key] === value;
  });
}
