/**
 * An Aho-Corasick automaton over bytes. State 0 is the root; the other states are numbered from 1 and stand
 * for the prefixes of the patterns. Kept in flat arrays: a private key of 50 lines in all its spellings has
 * some 100,000 states, for which a full table would take 100 MB.
 */
export type Automaton = {
  /** Next state by byte, from the root. */
  readonly root: Int32Array;
  /** Length of the prefix that a state stands for. */
  readonly depth: Int32Array;
  /** The state of the longest proper suffix that is a prefix too. */
  readonly fail: Int32Array;
  /** Length of the longest pattern that ends in a state, 0 where none does. */
  readonly match: Int32Array;
  readonly edges: Edges;
};

/** Open addressing: `keys` holds state * 256 + byte, or -1. */
type Edges = { keys: Int32Array; targets: Int32Array; mask: number };

export function buildAutomaton(patterns: readonly Uint8Array[]): Automaton {
  const most = patterns.reduce((sum, pattern) => sum + pattern.length, 1);
  const automaton: Automaton = {
    root: new Int32Array(256),
    depth: new Int32Array(most),
    fail: new Int32Array(most),
    match: new Int32Array(most),
    edges: createEdges(most),
  };
  const parent = new Int32Array(most);
  const label = new Uint8Array(most);
  let states = 1;
  for (const pattern of patterns) {
    let state = 0;
    for (const byte of pattern) {
      let next = childOf(automaton, state, byte);
      if (next === 0) {
        next = states;
        states += 1;
        addChild(automaton, state, byte, next);
        automaton.depth[next] = (automaton.depth[state] ?? 0) + 1;
        parent[next] = state;
        label[next] = byte;
      }
      state = next;
    }
    automaton.match[state] = pattern.length;
  }
  linkFailures(automaton, parent, label, states);
  return automaton;
}

/** The state after one more byte. */
export function step(automaton: Automaton, from: number, byte: number): number {
  let state = from;
  while (state !== 0) {
    const next = childOf(automaton, state, byte);
    if (next !== 0) return next;
    state = automaton.fail[state] ?? 0;
  }
  return automaton.root[byte] ?? 0;
}

function linkFailures(automaton: Automaton, parent: Int32Array, label: Uint8Array, states: number): void {
  const { depth, fail, match } = automaton;
  // Shallow states first: a failure link always leads to a shallower one.
  const order = Int32Array.from({ length: states }, (_, state) => state).sort(
    (a, b) => (depth[a] ?? 0) - (depth[b] ?? 0),
  );
  for (const state of order) {
    if ((depth[state] ?? 0) > 1)
      fail[state] = step(automaton, fail[parent[state] ?? 0] ?? 0, label[state] ?? 0);
    if (match[state] === 0) match[state] = match[fail[state] ?? 0] ?? 0;
  }
}

function createEdges(count: number): Edges {
  const size = 2 ** Math.ceil(Math.log2(count * 2 + 2));
  return { keys: new Int32Array(size).fill(-1), targets: new Int32Array(size), mask: size - 1 };
}

function slotOf(edges: Edges, key: number): number {
  let slot = (Math.imul(key, 0x9e3779b1) >>> 7) & edges.mask;
  while (edges.keys[slot] !== -1 && edges.keys[slot] !== key) slot = (slot + 1) & edges.mask;
  return slot;
}

function childOf(automaton: Automaton, state: number, byte: number): number {
  if (state === 0) return automaton.root[byte] ?? 0;
  const { edges } = automaton;
  return edges.targets[slotOf(edges, state * 256 + byte)] ?? 0;
}

function addChild(automaton: Automaton, state: number, byte: number, next: number): void {
  if (state === 0) {
    automaton.root[byte] = next;
    return;
  }
  const slot = slotOf(automaton.edges, state * 256 + byte);
  automaton.edges.keys[slot] = state * 256 + byte;
  automaton.edges.targets[slot] = next;
}
