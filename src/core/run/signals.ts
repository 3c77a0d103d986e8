import type { Ending } from '../attempt.ts';

/** Linux on all its machines; of the others no command of ours is told. */
const numbers: { readonly [name: string]: number } = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGSYS: 31,
};

const names = new Map(Object.entries(numbers).map(([name, number]) => [128 + number, name]));

/** Both ways of reporting a signal, by name and as a shell's 128 + number, made into one that has both. */
export function readEnding(ending: Ending | null): Ending {
  if (ending === null) return { exitCode: null, signal: null };
  const { exitCode, signal } = ending;
  if (signal !== null) return { signal, exitCode: exitCode ?? exitCodeOf(signal) };
  return { exitCode, signal: exitCode === null ? null : (names.get(exitCode) ?? null) };
}

function exitCodeOf(signal: string): number | null {
  const number = numbers[signal];
  return number === undefined ? null : 128 + number;
}
