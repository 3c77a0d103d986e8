import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AttemptFaultError, AttemptOverError } from '../../../src/core/attempt.ts';
import { createMachine, noNamespaces, shellsHere } from './machine.ts';

if (noNamespaces !== null) console.log(`not tried: the pod on this machine, because ${noNamespaces}`);

/** Says `up` when TERM would be heard, and how it was asked to end. */
const gentle =
  'trap "echo asked; sleep 0.1; echo cleaned; exit 3" TERM; echo up; while :; do sleep 0.02; done';
/** Hears no TERM, in the foreground and in a session of its own. */
const stubborn =
  'trap "" TERM; setsid sh -c "echo up; while :; do sleep 0.02; done" & while :; do sleep 0.02; done';

describe.skipIf(noNamespaces !== null)('an attempt in a pod', () => {
  describe.each(shellsHere)('under %s', (shell) => {
    test('runs from its input to its report', async () => {
      const script = 'echo "hello $1"; echo oh >&2; pwd; echo new >file; cat\nfalse\necho never';
      await using pod = await createMachine({ script, shell });
      const [code, ended] = await Promise.all([pod.agent(), pod.entry()]);
      const report = await pod.report;
      expect({ code, ended }).toEqual({ code: 0, ended: 1 });
      expect(report).toMatchObject({
        ending: { exitCode: 1, signal: null, outOfMemory: false },
        fault: null,
        interrupted: null,
      });
      expect(pod.text()).toBe(`hello \n${pod.places.workspace}\n`);
      expect(pod.door.text(1, 2)).toBe('oh\n');
      expect(report.artifacts.map(({ path }) => path)).toEqual(['file']);
      expect(report.cpuSeconds).toBeGreaterThan(0);
    });

    test('is asked to end once when its pod is taken away, and says so', async () => {
      await using pod = await createMachine({ script: gentle, shell });
      const ended = Promise.all([pod.agent(), pod.entry()]);
      await pod.door.printed(1, 'up');
      pod.takeAway(5);
      expect(await ended).toEqual([0, 3]);
      expect(await pod.report).toMatchObject({ ending: { exitCode: 3 }, interrupted: 'taken', fault: null });
      expect(pod.text()).toBe('up\nasked\ncleaned\n');
    });

    test('is taken away also where the hook next door comes first', async () => {
      await using pod = await createMachine({
        script: 'trap "exit 0" TERM; echo up; while :; do sleep 0.02; done',
        shell,
      });
      const ended = Promise.all([pod.agent(), pod.entry()]);
      await pod.door.printed(1, 'up');
      const isEnded = pod.isEnded();
      pod.endTask(5);
      await isEnded;
      pod.take();
      expect(await ended).toEqual([0, 0]);
      expect(await pod.report).toMatchObject({ ending: { exitCode: 0 }, interrupted: 'taken' });
    });

    test('ends when its time is over, and nothing of it is left', async () => {
      await using pod = await createMachine({
        script: stubborn,
        shell,
        agent: { timeoutMs: 400, graceMs: 100 },
      });
      expect(await Promise.all([pod.agent(), pod.entry()])).toEqual([0, 137]);
      expect(await pod.report).toMatchObject({ ending: { exitCode: 137 }, interrupted: 'timeout' });
    });

    test('ends although it forges the words of its end, and with its own exit code', async () => {
      const forged = 'for i in 1 2 3; do echo "exit 0 - oom=9" >"$IO/rep"; done; echo up; sleep 0.3; exit 7';
      await using pod = await createMachine({ script: `IO=$(dirname "$0")\n${forged}`, shell });
      expect(await Promise.all([pod.agent(), pod.entry()])).toEqual([0, 7]);
      expect(await pod.report).toMatchObject({ ending: { exitCode: 7, outOfMemory: false } });
    });

    test('what it leaves in the background ends with it', async () => {
      const script = 'setsid sh -c "while :; do echo spam; sleep 0.01; done" & sleep 0.1; echo done';
      await using pod = await createMachine({ script, shell });
      expect(await Promise.all([pod.agent(), pod.entry()])).toEqual([0, 0]);
      expect(pod.text()).toContain('done\n');
    });
  });

  test('a pod that is taken away before the command begins reports that, and the entry ends', async () => {
    const restoring = Promise.withResolvers<void>();
    await using pod = await createMachine({
      script: 'echo never',
      door: {
        readBlob: () => {
          restoring.resolve();
          return new Promise(() => {});
        },
      },
      input: { root: 'a'.repeat(64) },
    });
    const ended = Promise.all([pod.agent(), pod.entry()]);
    await restoring.promise;
    pod.takeAway(5);
    expect(await ended).toEqual([0, 143]);
    const report = await pod.report;
    expect(report).toMatchObject({ ending: null, fault: null, interrupted: 'taken', output: null });
    // Until when the cluster's word on who took it away is waited for is counted from here.
    expect(report.phases).toMatchObject({ startedAt: null, storedAt: expect.any(Date) });
  });

  test('a pod that is taken away before its second container began is not held', async () => {
    await using pod = await createMachine({ script: 'echo never' });
    const agent = pod.agent();
    await pod.exists(`${pod.places.io}/rep`);
    pod.takeAway(5);
    expect(await agent).toBe(0);
    expect(await pod.report).toMatchObject({ ending: null, interrupted: 'taken' });
  });

  test('secrets are hidden, `python` is there where `python3` is, and a long script needs no argument', async () => {
    const script = `echo "$KEY" $((1+1)); ${'# long\n'.repeat(30_000)}command -v python >/dev/null && echo python; exit 127`;
    await using pod = await createMachine({
      script: `KEY=s3cr3t-word\n${script}\n`,
      input: { secrets: [{ name: 'KEY', value: 's3cr3t-word' }] },
    });
    expect(await Promise.all([pod.agent(), pod.entry()])).toEqual([0, 127]);
    expect(pod.text()).toBe('*** 2\npython\n');
  });

  test('an end that the door has said ends the command', async () => {
    await using pod = await createMachine({
      script: stubborn,
      door: { appendLog: () => Promise.reject(new AttemptOverError('attempt 1 is over')) },
      agent: { graceMs: 100 },
    });
    expect(await Promise.all([pod.agent(), pod.entry()])).toEqual([1, 137]);
    expect(await pod.lastWord()).toMatch(/^ame: attempt-over: /);
  });

  test('a report that is refused, and a fault before the command, are the last word', async () => {
    const conflict = new AttemptFaultError({ class: 'conflict', message: 'a and b changed x' });
    await using first = await createMachine({
      script: 'true',
      door: { input: () => Promise.reject(conflict) },
    });
    expect((await Promise.all([first.agent(), first.entry()]))[0]).toBe(1);
    expect((await first.report).fault).toEqual({ class: 'conflict', message: 'a and b changed x' });
    expect(await first.lastWord()).toBe('ame: failed: a and b changed x\n');

    await using second = await createMachine({ script: 'true' });
    writeFileSync(second.places.token, 'another');
    expect((await Promise.all([second.agent(), second.entry()]))[0]).toBe(1);
    expect(await second.lastWord()).toMatch(/^ame: refused: AME answered with 401/);
  });

  test('an address where nobody answers is named with what to set', async () => {
    await using pod = await createMachine({ script: 'true' });
    const [code, ended] = await Promise.all([
      pod.agent({ url: 'http://127.0.0.1:1', reachMs: 300 }),
      pod.entry(),
    ]);
    expect([code, ended]).toEqual([1, 143]);
    expect(await pod.lastWord()).toMatch(/^ame: door-unreachable: .*127\.0\.0\.1:1.*AME_AGENT_URL/);
  });

  test('where the container of the command dies, nobody says how, but its log is there', async () => {
    await using pod = await createMachine({ script: 'echo up; sleep 60' });
    const agent = pod.agent();
    const entry = pod.entry();
    await pod.door.printed(1, 'up');
    pod.killEntry();
    expect(await agent).toBe(1);
    await entry;
    expect(await pod.lastWord()).toMatch(/^ame: task-died: /);
    expect(pod.text()).toBe('up\n');
  });

  test('an agent that is killed again and again doubles nothing, and loses at most what it had just read', async () => {
    const script =
      'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "line $i"; sleep 0.01; done; echo kept >file';
    await using pod = await createMachine({ script });
    const entry = pod.entry();
    for (const seen of ['line 20\n', 'line 120\n', 'line 200\n']) {
      const agent = pod.agentProcess();
      await pod.door.printed(1, seen);
      agent.kill('SIGKILL');
      await once(agent, 'exit');
    }
    const last = pod.agentProcess();
    expect(await entry).toBe(0);
    last.kill('SIGTERM');
    expect(await once(last, 'exit')).toEqual([0, null]);
    const seen = [...pod.text().matchAll(/^line (\d+)\n/gm)].map(([, number]) => Number(number));
    expect(pod.text()).toBe(seen.map((number) => `line ${number}\n`).join(''));
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
    expect([seen[0], seen.at(-1)]).toEqual([1, 300]);
    // A pipe forgets what is read from it: what the agent had in its hands when it was killed is gone.
    const gaps = seen.filter((number, at) => at > 0 && number !== (seen[at - 1] ?? 0) + 1);
    expect(gaps.length).toBeLessThanOrEqual(3);
    const report = await pod.report;
    expect(report).toMatchObject({ ending: { exitCode: 0 }, interrupted: null });
    expect(report.artifacts.map(({ path }) => path)).toEqual(['file']);
  });

  test('an agent that is killed after the end finds the end again, and what was printed last', async () => {
    const stored = Promise.withResolvers<void>();
    let isKilled = false;
    await using pod = await createMachine({
      script: 'echo kept >file; echo bye; exit 5',
      door: {
        missingBlobs: (_, digests) => {
          stored.resolve();
          return isKilled ? Promise.resolve(new Set(digests)) : new Promise(() => {});
        },
      },
    });
    const entry = pod.entry();
    const first = pod.agentProcess();
    await stored.promise;
    first.kill('SIGKILL');
    await once(first, 'exit');
    isKilled = true;
    const second = pod.agentProcess();
    expect(await entry).toBe(5);
    second.kill('SIGTERM');
    expect(await once(second, 'exit')).toEqual([0, null]);
    expect(await pod.report).toMatchObject({ ending: { exitCode: 5 }, interrupted: null });
    expect(pod.text()).toBe('bye\n');
  });

  test('while nobody answers the command goes on, and all of its log arrives afterwards', async () => {
    let isAway = true;
    const waiting = Promise.withResolvers<void>();
    let tries = 0;
    await using pod = await createMachine({
      // More than the agent would hold in memory; the last line says that it did not wait for anybody.
      script: 'yes 0123456789abcdef | head -n 200000; echo over >"${0%/*}/../over"',
      door: {
        async appendLog(attempt, chunk) {
          if (isAway) {
            tries += 1;
            if (tries === 1) waiting.resolve();
            throw new Error('the database is away');
          }
          pod.door.of(attempt).chunks.push(chunk);
        },
      },
    });
    const ended = Promise.all([pod.agent(), pod.entry()]);
    await waiting.promise;
    await pod.exists(join(pod.places.io, '..', 'over'));
    isAway = false;
    expect(await ended).toEqual([0, 0]);
    expect(pod.text()).toBe('0123456789abcdef\n'.repeat(200_000));
  });

  test('a link to what is the agent’s own is kept as a link, or refused, and never read', async () => {
    const script =
      'ln -s ../../token leak; ln -s /proc/1/environ leak2; mkdir d; echo x >d/x; mv d e; ln -s / d';
    await using pod = await createMachine({ script });
    expect((await Promise.all([pod.agent(), pod.entry()]))[0]).toBe(1);
    const report = await pod.report;
    expect(report.fault?.class).toBe('content_refused');
    expect(report.fault?.message).toContain('leak');
    const token = pod.reached.token;
    for (const bytes of pod.door.blobs.values()) expect(Buffer.from(bytes).includes(token)).toBe(false);
  });

  test('a workspace that became a link to elsewhere is not followed', async () => {
    const script = 'cd ..; mv src gone; ln -s / src; true';
    await using pod = await createMachine({ script });
    expect((await Promise.all([pod.agent(), pod.entry()]))[0]).toBe(1);
    expect((await pod.report).fault?.class).toBe('content_refused');
  });
});
