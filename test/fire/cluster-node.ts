import type { Clock } from '../../src/agent/clock.ts';
import { createHttpDoor } from '../../src/agent/http-door.ts';
import { AttemptOverError, type AttemptDoor } from '../../src/core/attempt.ts';
import type { FakeKubernetes } from '../fakes/kubernetes/server.ts';
import type { FakeObject } from '../fakes/kubernetes/store.ts';

/** The one node of a fake cluster: runs what it is given as soon as there is a token for it. */
export type ClusterNode = AsyncDisposable & {
  /** Where AME is now. Pods know one address of it, behind which it may be another process by then. */
  reach(address: string): void;
};

/** Short pauses of real time: what the pods wait for is a process that is started again. */
const clock: Clock = {
  now: () => Date.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(milliseconds, 20));
    return () => clearTimeout(timer);
  },
};

export function createNode(fake: FakeKubernetes): ClusterNode {
  let address = 'http://127.0.0.1:1';
  const over = new AbortController();
  const begun = new Set<string>();
  const going = new Set<Promise<void>>();

  function run(secret: FakeObject): void {
    const attempt = Number(secret.metadata.labels?.['ame.dev/attempt']);
    const { token = '' } = secret['stringData'] as { readonly token?: string };
    const pod = `${secret.metadata.name}-x`;
    const show = (phase: string, state: object): void => {
      // What was deleted meanwhile does not come back.
      if (!fake.store.find('jobs', secret.metadata.name)) return;
      fake.store.put('pods', pod, {
        metadata: { labels: secret.metadata.labels ?? {} },
        spec: { nodeName: 'node-1' },
        status: { phase, containerStatuses: [{ name: 'task', restartCount: 0, state }] },
      });
    };
    const startedAt = new Date();
    show('Running', { running: { startedAt: startedAt.toISOString() } });
    const door = createHttpDoor({
      url: 'http://ame.example',
      attempt,
      token,
      clock,
      signal: over.signal,
      fetch: (to, init) => {
        const url = to instanceof Request ? to.url : to.toString();
        return fetch(url.replace('http://ame.example', address), init);
      },
    });
    const played = play(door, attempt, startedAt)
      .then(() => show('Succeeded', { terminated: { exitCode: 0, finishedAt: new Date().toISOString() } }))
      .catch((error: unknown) => {
        if (!(error instanceof AttemptOverError) && !over.signal.aborted) throw error;
      })
      .finally(() => going.delete(played));
    going.add(played);
  }

  /** The pod of each Job is on the node at once, and waits for its token. */
  async function place(): Promise<void> {
    const seen = new Set<string>();
    for (let times = 1; !over.signal.aborted; times += 1) {
      await fake.until('POST jobs', times);
      for (const { metadata } of fake.store.all('jobs')) {
        const pod = `${metadata.name}-x`;
        if (seen.has(metadata.uid) || fake.store.find('pods', pod)) continue;
        seen.add(metadata.uid);
        const waiting = { restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } };
        fake.store.put('pods', pod, {
          metadata: { labels: metadata.labels ?? {} },
          spec: { nodeName: 'node-1' },
          status: {
            phase: 'Pending',
            initContainerStatuses: [{ name: 'agent', ...waiting }],
            containerStatuses: [{ name: 'task', ...waiting }],
          },
        });
      }
    }
  }
  void place();

  async function serve(): Promise<void> {
    for (let times = 1; !over.signal.aborted; times += 1) {
      await fake.until('POST secrets', times);
      for (const secret of fake.store.all('secrets')) {
        if (begun.has(secret.metadata.uid)) continue;
        begun.add(secret.metadata.uid);
        run(secret);
      }
    }
  }
  void serve();

  return {
    reach: (now) => void (address = now),
    async [Symbol.asyncDispose]() {
      over.abort();
      await Promise.all(going);
    },
  };
}

/** What an agent says of a command that prints its own script and leaves nothing. */
async function play(door: AttemptDoor, attempt: number, at: Date): Promise<void> {
  const { script, root } = await door.input(attempt);
  await door.started(attempt, at);
  const bytes = Buffer.from(`${script.trim()}\n`);
  await door.appendLog(attempt, {
    seq: 0,
    firstLine: 0,
    offset: 0,
    bytes,
    lines: [[1, at.getTime(), bytes.length]],
  });
  await door.finish(attempt, {
    ending: { exitCode: 0, signal: null },
    fault: null,
    phases: { preparedFrom: at, startedAt: at, endedAt: at, storedAt: at },
    output: root,
    artifacts: [],
    notices: [],
    peakMemoryBytes: null,
  });
}
