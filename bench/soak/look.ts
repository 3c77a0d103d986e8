import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { asStarted } from '../../test/as-started.ts';

/** What a server holds at a moment, after everything that may go was collected. */
export type Look = {
  /** Of the heap and of what stands beside it. */
  readonly liveMib: number;
  readonly rssMib: number;
  /** What keeps its loop alive, by kind: sockets, timers, children. */
  readonly handles: Readonly<Record<string, number>>;
  /** How late its loop was since the look before. */
  readonly late: { readonly p50Ms: number; readonly p99Ms: number; readonly mostMs: number };
};

export type SoakServer = {
  readonly pid: number;
  readonly address: string;
  readonly token: string;
  readonly databaseUrl: string;
  look(): Promise<Look>;
  stop(): Promise<void>;
};

type Word = {
  readonly look?: Look;
  readonly started?: { readonly address: string; readonly token: string; readonly databaseUrl: string };
};

const script = fileURLToPath(new URL('server.ts', import.meta.url));

export async function startSoakServer(directory: string, slots: number): Promise<SoakServer> {
  const child = fork(script, [directory], {
    execArgv: [...asStarted, '--expose-gc'],
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      AME_LOCAL_SLOTS: String(slots),
      AME_GRACE: '1',
      AME_LOG_LEVEL: 'error',
    },
  });
  const exited = once(child, 'exit');
  const { started } = await wordOf(child, exited);
  if (!started) throw new Error('the server did not start');
  return {
    ...started,
    pid: child.pid ?? 0,
    async look() {
      child.send('look');
      const { look } = await wordOf(child, exited);
      if (!look) throw new Error('the server did not say what it holds');
      return look;
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function wordOf(child: ChildProcess, exited: Promise<unknown>): Promise<Word> {
  const word = await Promise.race([once(child, 'message'), exited.then(() => null)]);
  if (word === null) throw new Error('the server ended');
  return word[0] as Word;
}
