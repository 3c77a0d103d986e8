import type { Position } from '../project.ts';
import { withHole } from './holes.ts';
import type { Hole, OpenMap } from './holes.ts';
import type { Locate } from './lines.ts';

/** A text of which parts are left out, one after the other. Places, in contrast to offsets, stay what they are. */
export type Remainder = {
  text: string;
  holes: Hole[];
  /** Offsets of maps that were closed here. */
  cut: number[];
  /** Where nothing more is said. */
  readonly silent: { readonly from: Position; readonly to: Position }[];
  /** What stood in the holes that may have held more than a single value. */
  lost: string;
  /** Whether a value that aliases stand for is gone. */
  lacksAnchor: boolean;
};

/** A text of which nothing is left out yet. */
export function wholeText(text: string): Remainder {
  return { text, holes: [], cut: [], silent: [], lost: '', lacksAnchor: false };
}

/** Takes a hole out of the text. `locate` finds places in the text as it was when the hole was found. */
export function leaveOut(rest: Remainder, hole: Hole, locate: Locate): void {
  rest.silent.push({ from: locate(hole.from), to: locate(hole.to) });
  const gone = rest.text.slice(hole.from, hole.to);
  rest.lacksAnchor ||= gone.includes('&');
  // Older files name their tasks by a key of that name.
  const isName = /\bname *: *$/u.test(rest.text.slice(Math.max(0, hole.from - 20), hole.from));
  if (hole.holdsMore || isName) rest.lost += `${gone}\n`;
  rest.text = withHole(rest.text, hole);
  rest.holes.push(hole);
}

/** Puts the brace in that a map lacks. */
export function closeMap(rest: Remainder, { from, end, doubtFrom }: OpenMap, locate: Locate): void {
  // At the brace itself it would be said that there should be no map, which it may not be.
  rest.silent.push({ from: locate(from), to: locate(from) }, { from: locate(doubtFrom), to: locate(end) });
  rest.lost += `${rest.text.slice(doubtFrom, end)}\n`;
  rest.text = `${rest.text.slice(0, end)}}${rest.text.slice(end)}`;
  const moved = (offset: number): number => (offset >= end ? offset + 1 : offset);
  rest.holes = rest.holes.map((hole) => ({ ...hole, from: moved(hole.from), to: moved(hole.to) }));
  rest.cut = [...rest.cut.map(moved), from];
}

/** Whether something that stands at a place may only follow from what was left out. */
export function isSilent({ silent }: Remainder, at: Position): boolean {
  return silent.some(({ from, to }) => !isBefore(at, from) && !isBefore(to, at));
}

/** Whether the name that a text begins with may be one of what was left out; made once for many questions. */
export function lostNames({ lost }: Remainder): (text: string) => boolean {
  const names = new Set(lost.split(/[^\p{L}\p{N}._/-]+/u));
  return (text) => names.has(/^["']?([^\s,[\]{}"']+)/u.exec(text.slice(0, 100))?.[1] ?? '');
}

function isBefore(one: Position, other: Position): boolean {
  return one.line < other.line || (one.line === other.line && one.column < other.column);
}
