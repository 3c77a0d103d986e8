import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import picocolors from 'picocolors';
import { parseCliConfig, readEnvironment, type CliConfig, type Env } from '../config.ts';

export type Output = Writable & { readonly isTTY?: boolean };
export type Input = Readable & { readonly isTTY?: boolean };
export type Colors = ReturnType<typeof picocolors.createColors>;
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** Everything that a command sees of the world around it, so that a test can be that world. */
export type Terminal = {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Env;
  readonly cwd: string;
  readonly config: CliConfig;
  /** For stdout. */
  readonly colors: Colors;
  /** Calls back at each Ctrl-C or wish to end, which then no longer ends the process by itself. */
  onSignal(heard: (signal: EndSignal) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
};

export type Surroundings = Pick<
  Terminal,
  'stdin' | 'stdout' | 'stderr' | 'env' | 'cwd' | 'onSignal' | 'exit'
>;

/** Throws `ConfigError`. */
export function createTerminal(surroundings: Surroundings): Terminal {
  const config = parseCliConfig(surroundings.env);
  const colors = picocolors.createColors(config.color && surroundings.stdout.isTTY === true);
  return { ...surroundings, config, colors };
}

/** One line for whoever asked: the answer of the command. */
export function print(terminal: Pick<Terminal, 'stdout'>, line = ''): void {
  terminal.stdout.write(`${line}\n`);
}

/** One line beside the answer: progress, notes, errors. */
export function note(terminal: Pick<Terminal, 'stderr'>, line = ''): void {
  terminal.stderr.write(`${line}\n`);
}

/** The answer for programs. */
export function printJson(terminal: Pick<Terminal, 'stdout'>, value: unknown): void {
  print(terminal, JSON.stringify(value, null, 2));
}

/** Writes bytes and waits where the reader is slower than we are. */
export async function writeBytes(terminal: Pick<Terminal, 'stdout'>, bytes: Uint8Array): Promise<void> {
  if (!terminal.stdout.write(bytes)) await once(terminal.stdout, 'drain');
}

const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The world of this process. */
export function processSurroundings(): Surroundings {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: readEnvironment(),
    cwd: process.cwd(),
    onSignal: (heard) => {
      for (const signal of endSignals) process.on(signal, heard);
      return () => {
        for (const signal of endSignals) process.off(signal, heard);
      };
    },
    exit: (code) => process.exit(code),
  };
}
