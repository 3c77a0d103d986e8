/**
 * Globs of branches, tags and paths: `*` and `?` stay within one segment, `**` crosses `/`, and a leading
 * or inner double star with its slash also stands for no directory at all. There are no other special characters.
 *
 * Patterns and texts come from strangers, so nothing here backtracks: the pattern is a row of states, 32 of them
 * in one machine word, and the text passes over each word once. That costs at most
 * (pattern / 32 + 1) * (text + 1) steps, whatever the two contain.
 */

/** States that a glob's characters lead to; state 0 is the start. One entry a state. */
type States = {
  /** The character that leads into the state; `null` is any character but `/`. Entry 0 is unused. */
  readonly enter: readonly (string | null)[];
  /** What the state may take in without moving on. */
  readonly stay: readonly ('nothing' | 'segment' | 'anything')[];
  /** Entering the state also enters the next one: no directory in place of a double star and its slash. */
  readonly skip: readonly boolean[];
};

function compile(glob: string): States {
  const symbols = Array.from(glob);
  const enter: (string | null)[] = [null];
  const stay: ('nothing' | 'segment' | 'anything')[] = ['nothing'];
  const skip: boolean[] = [false];
  for (let at = 0; at < symbols.length; at++) {
    const symbol = symbols[at];
    const state = enter.length - 1;
    if (symbol !== '*') {
      enter.push(symbol === '?' ? null : (symbol ?? null));
      stay.push('nothing');
      skip.push(false);
      continue;
    }
    let stars = 1;
    while (symbols[at + 1] === '*') {
      stars++;
      at++;
    }
    if (stars > 1) stay[state] = 'anything';
    else if (stay[state] === 'nothing') stay[state] = 'segment';
    const atSegmentStart = state === 0 || enter[state] === '/';
    if (stars > 1 && atSegmentStart && symbols[at + 1] === '/') {
      // `**/**/` says nothing more than `**/`
      while (symbols[at + 2] === '*' && symbols[at + 3] === '*' && symbols[at + 4] === '/') at += 3;
      skip[state] = true;
    }
  }
  return { enter, stay, skip };
}

const wordBits = 32;

/** One word of states, as bits, over which the whole text passes. */
function compileWord(states: States, from: number) {
  const enter = new Map<string, number>();
  let [enterAny, staySegment, stayAnything, skip] = [0, 0, 0, 0];
  for (let bit = 0; bit < wordBits && from + bit < states.enter.length; bit++) {
    const flag = 1 << bit;
    const symbol = states.enter[from + bit];
    if (from + bit > 0) {
      if (symbol === null || symbol === undefined) enterAny |= flag;
      else enter.set(symbol, (enter.get(symbol) ?? 0) | flag);
    }
    if (states.stay[from + bit] === 'segment') staySegment |= flag;
    if (states.stay[from + bit] === 'anything') stayAnything |= flag;
    if (states.skip[from + bit] === true) skip |= flag;
  }
  return { enter, enterAny, staySegment, stayAnything, skip };
}

const active = 1;
const skipped = 2;

/** As `matchesGlob`, and how many steps it took; a step is one character over one word of states. */
export function countGlobSteps(
  glob: string,
  text: string,
): { readonly matched: boolean; readonly steps: number } {
  const states = compile(glob);
  const symbols = Array.from(text);
  const last = states.enter.length - 1;
  if (states.skip.filter(Boolean).length + symbols.length < last) return { matched: false, steps: 0 };
  let steps = 0;
  // What the word before hands over after each character, and where that begins and ends.
  let before = new Uint8Array(0);
  let [first, final] = [0, 0];
  for (let from = 0; ; from += wordBits) {
    const word = compileWord(states, from);
    const after = new Uint8Array(symbols.length + 1);
    let bits = 0;
    let [nextFirst, nextFinal] = [-1, -1];
    for (let at = first; at <= symbols.length; at++) {
      steps++;
      const symbol = at === 0 ? undefined : symbols[at - 1];
      let entered = from === 0 && at === 0 ? 1 : 0;
      let stayed = 0;
      if (symbol !== undefined) {
        const enter = (word.enter.get(symbol) ?? 0) | (symbol === '/' ? 0 : word.enterAny);
        entered = ((bits << 1) | ((before[at - 1] ?? 0) & active)) & enter;
        stayed = bits & (word.stayAnything | (symbol === '/' ? 0 : word.staySegment));
      }
      if (((before[at] ?? 0) & skipped) !== 0) entered |= 1;
      entered |= (entered & word.skip) << 1;
      bits = entered | stayed;
      const handed = (bits >>> 31 ? active : 0) | ((entered & word.skip) >>> 31 ? skipped : 0);
      after[at] = handed;
      if (handed !== 0) {
        if (nextFirst < 0) nextFirst = at;
        nextFinal = at;
      }
      // Nothing lives here any more and nothing more comes in.
      if (bits === 0 && at > final) break;
    }
    if (last < from + wordBits) return { matched: ((bits >>> (last - from)) & 1) === 1, steps };
    if (nextFirst < 0) return { matched: false, steps };
    before = after;
    [first, final] = [nextFirst, nextFinal];
  }
}

/** Whether the whole text is what the glob describes. Takes time linear in the text for any pattern. */
export function matchesGlob(glob: string, text: string): boolean {
  return countGlobSteps(glob, text).matched;
}

/**
 * Whether a list of globs lets a text pass. The last glob that matches decides and `!` excludes; `by` is its
 * index, `null` where none matched. Then only a list without a positive glob lets the text pass.
 */
export function decideFilter(
  patterns: readonly string[],
  text: string,
): { readonly matched: boolean; readonly by: number | null } {
  for (let by = patterns.length - 1; by >= 0; by--) {
    const pattern = patterns[by] ?? '';
    const excludes = pattern.startsWith('!');
    if (matchesGlob(excludes ? pattern.slice(1) : pattern, text)) return { matched: !excludes, by };
  }
  return { matched: patterns.every((pattern) => pattern.startsWith('!')), by: null };
}
