import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from '../database.ts';
import { tryGit } from '../git/real-git.ts';
import { openEars } from '../journeys/ears.ts';
import { createAme, type Ame, type AmeOptions, type Clock } from '../journeys/harness.ts';
import { createClone, type Clone, type Files } from '../journeys/pusher.ts';
import { createFire, type Fault, type Life, type Point } from './points.ts';

/** A house whose process can be gone at any call to the outside, and is started again then. */
export type World = AsyncDisposable & {
  /** The process that lives now. */
  readonly ame: () => Ame;
  readonly clone: Pick<Clone, 'commit' | 'git'> & { readonly owner: string; readonly name: string };
  /** Every call to the outside so far. */
  readonly met: readonly Point[];
  /** What went wrong so far. */
  readonly done: readonly Fault[];
  /** How often the process was started again. */
  readonly restarts: () => number;
  /** Goes on until the promise is kept. */
  during<T>(promise: Promise<T>): Promise<T>;
  /** Goes on, and lets time pass where nothing else does, until `look` says that it is so. */
  until(look: () => Promise<boolean>): Promise<void>;
  /** Pushes as a person does: again where it failed. */
  push(...args: Parameters<Clone['push']>): Promise<string>;
};

/** What a world stands on, and may have been stood on before. */
export type Ground = {
  /** Puts a repository with one commit of these files into a directory. */
  readonly commit: (directory: string, files: Files) => Promise<void>;
};

export type WorldOptions = Pick<AmeOptions, 'env'> & {
  readonly ground?: Ground | undefined;
  readonly clock: Clock;
  /** What is done with each process that is started. */
  readonly begun?: (ame: Ame) => void;
};

/** Milliseconds of real time without a word after which the clock goes on: what a lost word costs here. */
const silenceMs = 150;
const passSeconds = 11;
/** Far more than the slowest of what is waited for takes. */
const mostTurns = 200;
/** A journey meets at most ten faults, each of which may cost it one. */
const mostPushes = 12;

export async function createWorld(faults: readonly Fault[], options: WorldOptions): Promise<World> {
  await using undo = new AsyncDisposableStack();
  const fire = createFire(faults);
  const { clock } = options;
  const directory = await mkdtemp(join(tmpdir(), 'ame-fire-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const { url: databaseUrl } = undo.use(await createTestDatabase());
  const ears = await openEars(databaseUrl);
  undo.defer(() => ears.close());
  let life: Life = { dead: false };
  let restarts = -1;
  let ame = await begin();
  const graves: Promise<void>[] = [];

  async function begin(): Promise<Ame> {
    for (;;) {
      life = { dead: false };
      restarts += 1;
      try {
        const begun = await fire.live(life, () =>
          createAme({ clock, house: { directory, databaseUrl }, env: { AME_GRACE: '0', ...options.env } }),
        );
        options.begun?.(begun);
        await fire.live(life, () => begun.sweep()).catch(() => {});
        return begun;
      } catch (error) {
        // A start that meets the fault fails, and is tried once more.
        if (fire.done.length === 0 || restarts > 10) throw error;
      }
    }
  }

  /**
   * What a process that is gone leaves: its sessions end, and its commands with it. Its last words, which nobody hears,
   * take seconds, and nobody waits for them.
   */
  function bury(): void {
    life.dead = true;
    const buried = fire.live(life, async () => ame[Symbol.asyncDispose]()).catch(() => {});
    graves.push(buried);
  }

  async function restart(): Promise<void> {
    bury();
    ame = await begin();
  }

  /** One look of every loop; a process that is gone is started again. */
  async function step(): Promise<number> {
    let found = 0;
    for (const loop of Object.values(ame.loops)) {
      // What a look fails on is looked at again, as the loop itself does.
      found += await fire.live(life, () => loop.once()).catch(() => 1);
      if (life.dead) break;
    }
    if (!life.dead) return found;
    await restart();
    return 1;
  }

  async function quiet(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<'silence'>();
    const timer = setTimeout(() => resolve('silence'), silenceMs);
    const heard = await Promise.race([ears.next(), promise]);
    clearTimeout(timer);
    if (heard === 'silence') clock.advance(passSeconds);
  }

  async function until(look: () => Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < mostTurns; turn += 1) {
      if ((await step()) > 0) continue;
      if (await look()) return;
      // Where nothing runs only time brings something.
      if ((await ame.read.active()) === 0) clock.advance(passSeconds);
      else await quiet();
    }
    throw new Error(`not over after ${mostTurns} turns`);
  }

  async function during<T>(promise: Promise<T>): Promise<T> {
    const over = new AbortController();
    const done = (): void => {
      over.abort();
      ears.say();
    };
    promise.then(done, done);
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      if (turn > mostTurns) throw new Error(`no answer after ${mostTurns} turns`);
      if ((await step()) > 0 || over.signal.aborted) continue;
      await quiet();
    }
    return promise;
  }

  const [owner, name] = ['team', 'fire'];
  const urlNow = (): string => {
    const url = new URL(`${ame.address}/git/${owner}/${name}.git`);
    url.username = 'ame';
    url.password = ame.ctx.token;
    return url.href;
  };
  const { ground } = options;
  let known = '';
  let begun: Promise<Clone> | null = null;
  /** The person's clone. Some journeys never push by hand. */
  const clone = (): Promise<Clone> => {
    known ||= urlNow();
    begun ??= createClone(join(directory, 'clone'), known, (push) => during(push));
    return begun;
  };
  const owned = undo.move();
  return {
    ame: () => ame,
    clone: {
      owner,
      name,
      commit: async (...args) => (await clone()).commit(...args),
      git: async (...args) => (await clone()).git(...args),
    },
    met: fire.met,
    done: fire.done,
    restarts: () => restarts,
    during,
    until,
    async push(files, pushOptions = {}) {
      if (files && begun === null && ground) await ground.commit(join(directory, 'clone'), files);
      else if (files) await (await clone()).commit(files, pushOptions);
      const pusher = await clone();
      for (let tries = 0; tries < mostPushes; tries += 1) {
        if (known !== urlNow()) {
          known = urlNow();
          await tryGit(pusher.directory, ['remote', 'set-url', 'origin', known]);
        }
        const { code, commit } = await pusher.push(undefined, pushOptions);
        if (code === 0) return commit;
      }
      throw new Error('no push came through');
    },
    async [Symbol.asyncDispose]() {
      bury();
      await Promise.all(graves);
      await owned.disposeAsync();
    },
  };
}
