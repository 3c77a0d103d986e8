import ignore from 'ignore';

/*
 * What stays where it was made: it neither flows to the next task nor comes back as an artifact. Each of these
 * is made anew by the tool that owns it, is useless or wrong in another directory, and would make tasks that run
 * side by side differ in files that nobody wrote. Other caches may hold what a person wants, so they flow.
 */
const leftOutNames: ReadonlySet<string> = new Set([
  // of version control: AME hands out commits, not repositories
  '.git',
  '.hg',
  '.svn',
  // environments with absolute paths inside; others are known by what they hold, see `environmentMark`
  '.venv',
  '.tox',
  '.nox',
  'node_modules',
  // compiled and remembered by time stamps of files
  '__pycache__',
  '.pytest_cache',
  '.mypy_cache',
  '.ruff_cache',
  '.ipynb_checkpoints',
  // of a desktop
  '.DS_Store',
]);

/** The file that makes its directory a Python environment, whatever the directory is called. */
export const environmentMark = 'pyvenv.cfg';

/** The file in the root of a workspace that says what is no artifact. */
export const ignoreFileName = '.ameignore';

/** Whether AME's own list leaves out what has this name (bytes as latin1), be it a file or a directory. */
export function isLeftOut(name: string): boolean {
  return leftOutNames.has(name);
}

/** Which paths an ignore file lets through, and the lines of it that were not used. */
export type IgnoreFile = {
  readonly ignores: (path: string) => boolean;
  /** Numbers of lines, from 1. */
  readonly refused: readonly number[];
};

const largestIgnoreFile = 64 * 1024;
/**
 * `ignore` turns a line into a regular expression that backtracks: four double stars in one line took 12 s over one
 * path of 800 characters made for it. Lines of people hold one to three stars.
 */
const mostStars = 4;

/** Reads an ignore file, in the syntax of `.gitignore`. Paths are text, relative, with `/` between names. */
export function parseIgnoreFile(text: string): IgnoreFile {
  const refused: number[] = [];
  const rules = ignore({ ignorecase: false, allowRelativePaths: true });
  for (const [i, line] of text.slice(0, largestIgnoreFile).split(/\r?\n/).entries()) {
    if ((line.match(/\*+/g)?.length ?? 0) > mostStars) refused.push(i + 1);
    else rules.add(line);
  }
  return { ignores: (path) => rules.ignores(path), refused };
}
