import type { AttemptJob } from './attempt-job.ts';
import { isOver, restarted, type Scenario } from './world.ts';

/** Attempts that nobody takes away: their command, their memory, their disk and their agent end them. */
export const endsByItself: readonly Scenario[] = [
  ended('command-ended-well', { task: 'echo done' }),
  ended('command-failed', { task: 'exit 7' }),
  ended('command-not-found', { task: 'no-such-command' }),
  ended('command-not-executable', { task: '/etc' }),
  ended('command-segfault', { task: "sh -c 'kill -SEGV $$'" }),
  ended('command-terminated-itself', { task: "sh -c 'kill -TERM $$'" }),
  ended('killed-from-outside', { task: 'exit 137', silent: true }),
  ended('never-let-go', { task: 'exit 125', silent: true }),
  ended('entry-failed', { task: 'exit 255', silent: true }),
  python('out-of-memory', 'python3 -c "x = bytearray(10**9); print(len(x))"'),
  python('out-of-memory-of-all', 'exec python3 -c "x = bytearray(10**9)"', true),
  python('child-out-of-memory', 'python3 -c "x = bytearray(10**9)"; exit 0'),
  {
    rows: ['agent-out-of-memory'],
    play: async ({ bench, images }) => {
      const attempt = await bench.start({
        task: 'sleep 8',
        agentImage: images.python,
        agent: 'sleep 3; exec python3 -c "x = bytearray(10**9)"',
      });
      await bench.record('agent-out-of-memory', attempt, await bench.until(attempt, isOver));
    },
  },
  {
    rows: ['agent-restarts-while-task-runs', 'agent-ends-again'],
    play: async ({ bench }) => {
      const attempt = await bench.start({ agent: 'sleep 2; exit 0' });
      await bench.record(
        'agent-restarts-while-task-runs',
        attempt,
        await bench.until(attempt, ({ facts }) => restarted(facts.pod?.agent, 1)),
      );
      const loop = await bench.until(attempt, ({ facts }) => restarted(facts.pod?.agent, 6), 900);
      await bench.record('agent-ends-again', attempt, loop);
    },
  },
  {
    rows: ['agent-crashes-first', 'agent-door-unreachable-again'],
    play: async ({ bench }) => {
      const said = 'ame: door-unreachable: no answer from http://192.0.2.1:8081 for 60 seconds';
      const attempt = await bench.start({ agent: `echo "${said}" >/dev/termination-log; exit 1` });
      const first = await bench.until(attempt, ({ facts }) => restarted(facts.pod?.agent, 1));
      await bench.record('agent-crashes-first', attempt, first);
      const loop = await bench.until(attempt, ({ facts }) => restarted(facts.pod?.agent, 6), 900);
      await bench.record('agent-door-unreachable-again', attempt, loop);
    },
  },
  word('agent-restore-failed', 'restore-failed: the snapshot cannot be read', 'exit 143', true),
  word('agent-store-failed', 'store-failed: the bucket answers 403', 'echo done'),
  word('agent-refused', 'refused: the token is not that of this attempt', 'exit 143', true),
  word('agent-spoke', 'attempt-over: the attempt has ended already', 'exit 143', true),
  {
    rows: ['agent-failed'],
    play: async ({ bench }) => {
      const attempt = await bench.start({
        task: 'sleep 3',
        agent: 'trap "exit 3" TERM; while :; do sleep 1 & wait $!; done',
      });
      await bench.record('agent-failed', attempt, await bench.until(attempt, isOver));
    },
  },
  {
    rows: ['agent-uploads'],
    play: async ({ bench }) => {
      const attempt = await bench.start({
        task: 'sleep 2',
        grace: 20,
        agent: 'trap "sleep 6; exit 0" TERM; while :; do sleep 1 & wait $!; done',
      });
      const uploads = await bench.until(attempt, ({ facts }) => facts.pod?.task?.state === 'terminated');
      await bench.record('agent-uploads', attempt, uploads);
    },
  },
  ended('workspace-full', { task: 'dd if=/dev/zero of=/workspace/big bs=1M count=200; sleep 120' }),
  ended('storage-full', {
    task: 'dd if=/dev/zero of=/tmp/big bs=1M count=200; sleep 120',
    limits: { 'ephemeral-storage': '50Mi' },
    requests: { 'ephemeral-storage': '1Mi' },
  }),
  ended('agent-disk-full', { agent: 'dd if=/dev/zero of=/ame/state/spool bs=1M count=60; sleep 300' }),
];

function ended(row: string, spec: AttemptJob): Scenario {
  return {
    rows: [row],
    play: async ({ bench }) => {
      const attempt = await bench.start(spec);
      await bench.record(row, attempt, await bench.until(attempt, isOver, 180));
    },
  };
}

function python(row: string, task: string, silent = false): Scenario {
  return {
    rows: [row],
    play: async ({ bench, images }) => {
      const attempt = await bench.start({ task, silent, image: images.python, memory: '48Mi' });
      await bench.record(row, attempt, await bench.until(attempt, isOver));
    },
  };
}

/** The agent leaves with a last word once its task is over. */
function word(row: string, words: string, task: string, silent = false): Scenario {
  const end = `echo "ame: ${words}" >/dev/termination-log; exit 1`;
  return ended(row, {
    task: `sleep 2; ${task}`,
    silent,
    agent: `trap '${end}' TERM; while :; do sleep 1 & wait $!; done`,
  });
}
