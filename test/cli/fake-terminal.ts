import { Readable, Writable } from 'node:stream';
import { runCommand } from '../../src/cli/main.ts';
import type { EndSignal, Input, Output, Surroundings } from '../../src/cli/terminal.ts';

/** What a command said, and the code that it ended with. */
export type Said = { readonly code: number; readonly out: string; readonly err: string };

export type Asked = {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string | Input;
  /** Whether stdout is a terminal. */
  readonly tty?: boolean;
};

export type Running = {
  readonly ended: Promise<Said>;
  press(signal?: EndSignal): void;
  /** Codes that the process was to end with at once. */
  readonly exits: readonly number[];
  /** Resolves when stdout and stderr together hold the text. */
  shows(text: string): Promise<void>;
};

/** Runs one command to its end, in this process. */
export function ame(args: readonly string[], asked: Asked = {}): Promise<Said> {
  return startAme(args, asked).ended;
}

/** Starts one command in a world of the test's own. */
export function startAme(args: readonly string[], asked: Asked = {}): Running {
  const out: string[] = [];
  const all: string[] = [];
  const err: string[] = [];
  const waiting = new Set<() => void>();
  const listeners = new Set<(signal: EndSignal) => void>();
  const exits: number[] = [];
  const collect = (into: string[], isTTY: boolean): Output =>
    Object.assign(
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          into.push(chunk.toString('utf8'));
          all.push(chunk.toString('utf8'));
          for (const look of waiting) look();
          done();
        },
      }),
      { isTTY },
    );
  const surroundings: Surroundings = {
    stdin: typeof asked.stdin === 'object' ? asked.stdin : Readable.from([Buffer.from(asked.stdin ?? '')]),
    stdout: collect(out, asked.tty ?? false),
    stderr: collect(err, asked.tty ?? false),
    env: { PATH: process.env['PATH'] ?? '', AME_DATA: '/nonexistent/ame', ...asked.env },
    cwd: asked.cwd ?? '/',
    onSignal: (heard) => {
      listeners.add(heard);
      return () => void listeners.delete(heard);
    },
    exit: (code) => void exits.push(code),
  };
  return {
    ended: runCommand(args, surroundings).then((code) => ({ code, out: out.join(''), err: err.join('') })),
    press: (signal = 'SIGINT') => {
      for (const heard of listeners) heard(signal);
    },
    exits,
    shows: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!all.join('').includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
