import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../src/agent/clock.ts';
import { endTaskScript, entryName, entryScript } from '../../../src/agent/pod/entry.ts';
import { runPod, type PodOptions } from '../../../src/agent/pod/main.ts';
import type { PodPlaces } from '../../../src/agent/pod/places.ts';
import { attemptToken } from '../../../src/attempt/token.ts';
import type { AttemptDoor, AttemptInput, AttemptReport } from '../../../src/core/attempt.ts';
import { createBlobDoor, type BlobDoor } from '../blob-door.ts';
import { createMemoryDoor, quietLog, type MemoryDoor } from '../memory-door.ts';
import { doorKey, overHttp, type Reached } from '../over-http.ts';

/** Why the entry cannot be tried here; null where it can: it wants to be process 1, which takes a namespace. */
export const noNamespaces: string | null =
  process.platform !== 'linux'
    ? 'the entry runs in Linux containers'
    : spawnSync('unshare', ['-pf', '--mount-proc', 'true']).status === 0
      ? null
      : 'a process namespace of its own takes root (unshare -pf --mount-proc)';

const shells = { dash: '/usr/bin/dash', bash: '/usr/bin/bash', busybox: '/usr/bin/busybox' } as const;
export type Shell = keyof typeof shells;

/** Those of the three that this machine has. */
export const shellsHere = (['dash', 'bash', 'busybox'] as const).filter((name) => existsSync(shells[name]));

export type MachineOptions = {
  readonly script: string;
  readonly shell?: Shell;
  readonly input?: Partial<AttemptInput>;
  readonly door?: Partial<AttemptDoor>;
  readonly agent?: Partial<PodOptions>;
  /** Throws what the door answers with instead, once the command runs. */
  readonly gate?: (call: 'missingBlobs' | 'writeBlob' | 'finish' | 'appendLog') => void;
};

/** A pod as far as two containers on this machine make one: the entry in a namespace of its own, and the agent. */
export type Machine = AsyncDisposable & {
  readonly door: MemoryDoor & BlobDoor;
  readonly places: PodPlaces;
  readonly reached: Reached & { readonly token: string };
  readonly report: Promise<AttemptReport>;
  /** The agent in this process; answers with its exit code. */
  agent(changes?: Partial<PodOptions>): Promise<number>;
  /** The agent as a process that can be killed. */
  agentProcess(): ChildProcess;
  /** The user's container; answers with its exit code. */
  entry(): Promise<number | null>;
  /** What a node does to a pod that is deleted: the hooks of both containers. */
  takeAway(graceSeconds: number): void;
  /** The hook of the agent's container. */
  take(): void;
  /** The hook of the user's container. */
  endTask(graceSeconds: number): void;
  /** Resolves once the entry has written its last word: the command has ended. */
  isEnded(): Promise<void>;
  /** Ends process 1 of the user's container, as a node does that runs out of memory. */
  killEntry(): void;
  /** Resolves once there is such a file. */
  exists(path: string): Promise<void>;
  lastWord(): Promise<string>;
  text(): string;
};

export async function createMachine(options: MachineOptions): Promise<Machine> {
  await using undo = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'ame-pod-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const at = (name: string): string => join(directory, name);
  const places: PodPlaces = {
    volume: at('workspace'),
    workspace: at('workspace/src'),
    home: at('workspace/home'),
    temporary: at('workspace/tmp'),
    io: at('io'),
    state: at('state'),
    taken: at('state/taken'),
    token: at('token'),
    lastWord: at('agent-word'),
  };
  for (const each of [places.volume, places.io, places.state, at('bin')]) await mkdir(each);
  await writeFile(places.token, attemptToken(doorKey, 1));
  await symlink(shells[options.shell ?? 'dash'], at('bin/sh'));
  const blobs = createBlobDoor();
  const root = blobs.saveTree([]);
  const { readBlob, missingBlobs, writeBlob } = blobs;
  const seen = new Map<number, Buffer>();
  const replaced: Partial<AttemptDoor> = { readBlob, missingBlobs, writeBlob, ...options.door };
  const memory = createMemoryDoor({ root, script: options.script, ...options.input }, replaced);
  const door: AttemptDoor = {
    ...memory,
    // As the database does: a chunk that is there stays. Another one of its number would be a fault of the agent's.
    async missingBlobs(attempt, digests) {
      options.gate?.('missingBlobs');
      return memory.missingBlobs(attempt, digests);
    },
    async writeBlob(attempt, digest, content) {
      options.gate?.('writeBlob');
      await memory.writeBlob(attempt, digest, content);
    },
    async finish(attempt, report) {
      options.gate?.('finish');
      await memory.finish(attempt, report);
    },
    async appendLog(attempt, chunk) {
      options.gate?.('appendLog');
      const earlier = seen.get(chunk.seq);
      const bytes = Buffer.from(chunk.bytes);
      if (earlier === undefined) await memory.appendLog(attempt, chunk);
      else if (!earlier.equals(bytes)) throw new Error(`chunk ${chunk.seq} came twice, and differs`);
      seen.set(chunk.seq, bytes);
    },
  };
  const reached = undo.use(await overHttp(door));
  const term = new AbortController();
  const children: ChildProcess[] = [];
  const entries: ChildProcess[] = [];
  undo.defer(async () => {
    term.abort();
    for (const child of children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    )) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  const plain = {
    attempt: 1,
    url: reached.url,
    tokenFile: places.token,
    timeoutMs: 60_000,
    graceMs: 1_000,
    storeMs: 30_000,
    reachMs: 10_000,
    places,
  };
  function take(): void {
    writeFileSync(places.taken, '');
  }
  function endTask(graceSeconds: number): void {
    children.push(spawn('sh', ['-c', endTaskScript(graceSeconds, places.io)], { stdio: 'inherit' }));
  }
  async function exists(path: string): Promise<void> {
    const found = Promise.withResolvers<void>();
    const watcher = watch(dirname(path), () => existsSync(path) && found.resolve());
    if (existsSync(path)) found.resolve();
    await found.promise;
    watcher.close();
  }
  const owned = undo.move();
  return {
    door: { ...blobs, ...memory },
    places,
    reached: { ...reached, token: attemptToken(doorKey, 1) },
    report: memory.of(1).finished.promise,
    agent: (changes = {}) =>
      runPod({
        ...plain,
        term: term.signal,
        log: quietLog,
        clock: systemClock,
        ...options.agent,
        ...changes,
      }),
    agentProcess() {
      const program = join(import.meta.dirname, 'agent-child.ts');
      const child = spawn(process.execPath, [program, JSON.stringify(plain)], { stdio: 'inherit' });
      children.push(child);
      return child;
    },
    async entry() {
      const words = ['-c', entryScript, entryName, places.io, places.workspace, '2', at('task-word')];
      const child = spawn('unshare', ['-pf', '--kill-child', '--mount-proc', at('bin/sh'), ...words], {
        env: { PATH: `${at('bin')}:/usr/bin:/bin` },
        stdio: 'inherit',
      });
      children.push(child);
      entries.push(child);
      const [code]: (number | null)[] = await once(child, 'exit');
      // The node ends the agent once the user's container has ended.
      term.abort();
      return code ?? null;
    },
    take,
    endTask,
    takeAway(graceSeconds) {
      take();
      endTask(graceSeconds);
    },
    isEnded: () => exists(at('task-word')),
    killEntry() {
      // The one that made the namespace ends what is in it with itself.
      entries.at(-1)?.kill('SIGKILL');
    },
    exists,
    lastWord: () => readFile(places.lastWord, 'utf8'),
    text: () => memory.text(1, 1),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
