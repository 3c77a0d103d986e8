import type { ChildProcess } from 'node:child_process';
import { watchedNow } from './points.ts';

type AnyFunction = (...args: unknown[]) => unknown;

/** What Node hands to the system for a program: its arguments begin with the program's own name. */
type Program = { readonly file: string; readonly args: readonly string[] };

const nowhere = '/nothing/is/here';

/**
 * A program that is not found; one whose output nobody reads; one after which the process is gone. It stands below
 * `spawn` and `execFile`, which modules keep for themselves as they are loaded.
 */
export function watchSpawn(own: AnyFunction): AnyFunction {
  return function (this: ChildProcess, ...given: unknown[]): unknown {
    const watched = watchedNow();
    const [program] = given as [Program];
    const start = (changes: Partial<Program>): unknown =>
      Reflect.apply(own, this, [{ ...program, ...changes }]);
    if (watched === undefined) return start({});
    if (watched.life.dead) return start({ file: nowhere });
    const name = program.file.split('/').at(-1) ?? program.file;
    const [, ...words] = program.args;
    const verb = name === 'git' ? (words.find((word) => /^[a-z]+-?[a-z-]*$/.test(word)) ?? '') : '';
    const way = watched.meet('process', `${name} ${verb}`.trim());
    if (way === 'before') return start({ file: nowhere });
    // What a command ends with is the user's word for it, and a made up one would be believed: where the end of one is
    // lost, so is the process that waited for it.
    const isCommand = name === 'sh';
    if (way === 'lost' && !isCommand) {
      const unheard = '"$@" > /dev/null 2> /dev/null; exit 129';
      return start({ file: '/bin/sh', args: ['/bin/sh', '-c', unheard, 'sh', program.file, ...words] });
    }
    if (way === 'after' || way === 'lost')
      this.prependListener('exit', () => void (watched.life.dead = true));
    return start({});
  };
}
