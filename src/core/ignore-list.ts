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

/** Whether AME's own list leaves out what has this name (bytes as latin1), be it a file or a directory. */
export function isLeftOut(name: string): boolean {
  return leftOutNames.has(name);
}
