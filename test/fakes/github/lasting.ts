import { tryGitBytes } from './git.ts';

/** Of all repositories of a process; what is older is asked again. */
const most = 5_000;
const answers = new Map<string, Promise<Buffer | null>>();

/**
 * What git says of objects that are named in full: it never changes, so that it is asked once. Of 6,100 processes that
 * the fake started in the journeys, 5,500 asked what had been asked before, each a fork of a large test process.
 * `null` where git fails, which is not kept: the object may come.
 */
export function askLasting(directory: string, args: readonly string[]): Promise<Buffer | null> {
  const key = [directory, ...args].join('\0');
  const kept = answers.get(key);
  if (kept) return kept;
  const answer = tryGitBytes(directory, args).then((out) => {
    if (out === null) answers.delete(key);
    return out;
  });
  answers.set(key, answer);
  const [oldest] = answers.keys();
  if (answers.size > most && oldest !== undefined) answers.delete(oldest);
  // A process that cannot be started is not the answer for good.
  answer.catch(() => answers.delete(key));
  return answer;
}

/** The same of what must be there. */
export async function needLasting(directory: string, args: readonly string[]): Promise<Buffer> {
  const out = await askLasting(directory, args);
  if (out === null) throw new Error(`git ${args.join(' ')} failed`);
  return out;
}
