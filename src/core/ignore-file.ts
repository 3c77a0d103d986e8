import ignore from 'ignore';

/** The file in the root of a workspace that says what is no artifact. */
export const ignoreFileName = '.ameignore';

/** Which paths an ignore file lets through, and the lines of it that were not used. */
export type IgnoreFile = {
  readonly ignores: (path: string) => boolean;
  /** Numbers of lines, from 1. */
  readonly refused: readonly number[];
};

/** Bytes; larger ones are no lists written by people, and are not to be read. */
export const largestIgnoreFile = 64 * 1024;
/**
 * `ignore` turns a line into a regular expression that backtracks: four double stars in one line took 12 s over one
 * path of 800 characters made for it. Lines of people hold one to three stars.
 */
const mostStars = 4;

/** Reads an ignore file, in the syntax of `.gitignore`. Paths are text, relative, with `/` between names. */
export function parseIgnoreFile(text: string): IgnoreFile {
  const refused: number[] = [];
  const rules = ignore({ ignorecase: false, allowRelativePaths: true });
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if ((line.match(/\*+/g)?.length ?? 0) > mostStars) refused.push(i + 1);
    else rules.add(line);
  }
  return { ignores: (path) => rules.ignores(path), refused };
}
