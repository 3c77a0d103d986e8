import type { CheckAnnotation } from '../check.ts';
import { plainLine, visibleText } from '../escape.ts';
import { cutText, longestTitle } from './fit.ts';

/** One line of a Python traceback: where, outermost first. */
export type Frame = { readonly path: string; readonly line: number };

export type Traceback = {
  readonly frames: readonly Frame[];
  /** `ValueError: could not convert`, with the lines that belong to it. */
  readonly message: string;
};

/** Tracebacks of one log that are told; the last ones matter, since what is raised last ends the task. */
const mostTracebacks = 10;
const mostFrames = 1_000;
const longestMessage = 2_000;

const header = 'Traceback (most recent call last):';
const framePattern = /^ {2}File "([^"]{1,4096})", line (\d{1,9})/;
/** What cannot be compiled was never called: it is told by its place alone, without a header and a function. */
const uncompiledPlace = /^ {2}File "[^"]{1,4096}", line \d{1,9}$/;
const uncompiled = /^(?:SyntaxError|IndentationError|TabError): /;
/** Before each line of a group of exceptions, and between those that it holds. */
const groupMargin = /^ {2,}[|+] (.*)$/;
const groupRule = /^ {2,}\+-[-+]/;

type Open = { frames: Frame[]; message: string[]; readonly isBare: boolean };

/**
 * The tracebacks that Python printed, in the order of the text, and how many before these are left out. What it prints
 * is described with `traceback` in its library reference; a chained exception is a traceback of its own, and so are a
 * group of exceptions and each that it holds. Linear in the length of the text.
 */
export function findTracebacks(text: string): {
  readonly found: readonly Traceback[];
  readonly leftOut: number;
} {
  const found: Traceback[] = [];
  let leftOut = 0;
  let open: Open | null = null;
  let inGroup = false;
  const close = (): void => {
    if (open !== null && open.frames.length > 0 && open.message.length > 0) {
      found.push({ frames: open.frames, message: cutText(open.message.join('\n'), longestMessage) });
      if (found.length > mostTracebacks) {
        found.shift();
        leftOut += 1;
      }
    }
    open = null;
  };
  for (const raw of text.split('\n')) {
    const printed = raw.replace(/\r$/, '');
    const within = groupMargin.exec(printed)?.[1];
    if (within?.startsWith(`Exception Group ${header}`)) {
      close();
      inGroup = true;
      open = opened(false);
      continue;
    }
    if (inGroup && groupRule.test(printed)) {
      close();
      continue;
    }
    // A message of several lines has the margin before its first one only.
    if (inGroup && within === undefined && !hasMessage(open)) inGroup = false;
    const line = inGroup ? (within ?? printed) : printed;
    if (line.startsWith(header)) {
      close();
      open = opened(false);
    } else if (!hasMessage(open) && (open === null || open.isBare) && uncompiledPlace.test(line)) {
      open = opened(true);
      addFrame(open, line);
    } else if (open !== null && !(!hasMessage(open) && addFrame(open, line))) {
      if (!hasMessage(open) && line.startsWith(' ')) continue;
      // The first line without a margin names the exception; the text of one may go on until an empty line.
      if (line.trim() === '' || open.message.length >= 20) close();
      else if (open.isBare && !hasMessage(open) && !uncompiled.test(line)) open = null;
      else open.message.push(line);
    }
  }
  close();
  return { found, leftOut };
}

function opened(isBare: boolean): Open {
  return { frames: [], message: [], isBare };
}

function hasMessage(open: Open | null): boolean {
  return open !== null && open.message.length > 0;
}

function addFrame({ frames }: Open, line: string): boolean {
  const frame = framePattern.exec(line);
  if (frame === null) return false;
  if (frames.length < mostFrames) frames.push({ path: frame[1] ?? '', line: Number(frame[2]) });
  return true;
}

/**
 * What a frame's path may be called in the repository. A task runs in a directory called `workspace`, and Python
 * prints the path that it was given or the whole one.
 */
export function pathsInRepository(path: string): readonly string[] {
  const plain = path.replace(/^(?:\.\/)+/, '');
  if (!plain.startsWith('/')) return plain.split('/').includes('..') ? [] : [plain];
  const marker = '/workspace/';
  const found: string[] = [];
  for (let at = plain.indexOf(marker); at >= 0; at = plain.indexOf(marker, at + 1)) {
    const rest = plain.slice(at + marker.length);
    if (rest !== '' && !rest.split('/').includes('..')) found.push(rest);
  }
  return found;
}

/** A word beside the line of the repository at which a task's exception came out. */
export function tracebackAnnotation(
  task: string,
  place: { readonly path: string; readonly line: number },
  { message }: Traceback,
): CheckAnnotation {
  const [first = ''] = message.split('\n');
  return {
    path: place.path,
    line: place.line,
    column: null,
    level: 'failure',
    title: cutText(plainLine(`${task}: ${first}`), longestTitle),
    message: visibleText(message),
  };
}
