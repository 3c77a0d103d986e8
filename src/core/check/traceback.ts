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

/**
 * The tracebacks that Python printed, in the order of the text. What it prints is described with `traceback` in its
 * library reference; a chained exception is a traceback of its own. Linear in the length of the text.
 */
export function findTracebacks(text: string): readonly Traceback[] {
  const found: Traceback[] = [];
  let open: { frames: Frame[]; message: string[] } | null = null;
  const close = (): void => {
    if (open !== null && open.frames.length > 0 && open.message.length > 0) {
      found.push({ frames: open.frames, message: cutText(open.message.join('\n'), longestMessage) });
      if (found.length > mostTracebacks) found.shift();
    }
    open = null;
  };
  for (const line of text.split('\n')) {
    if (line.startsWith('Traceback (most recent call last):')) {
      close();
      open = { frames: [], message: [] };
    } else if (open !== null) {
      const frame = /^ {2}File "([^"]{1,4096})", line (\d{1,9})/.exec(line);
      if (frame && open.message.length === 0) {
        if (open.frames.length < mostFrames)
          open.frames.push({ path: frame[1] ?? '', line: Number(frame[2]) });
      } else if (open.message.length > 0 || !line.startsWith(' ')) {
        // The first line without a margin names the exception; the text of one may go on until an empty line.
        if (line.trim() === '' || open.message.length >= 20) close();
        else open.message.push(line.replace(/\r$/, ''));
      }
    }
  }
  close();
  return found;
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
