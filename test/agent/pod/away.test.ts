import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PodOptions } from '../../../src/agent/pod/main.ts';
import { openProgress } from '../../../src/agent/pod/resume.ts';
import { observeCluster } from '../../../src/core/outcome/cluster.ts';
import { outcomes } from '../../../src/core/outcome/classes.ts';
import { usualStorePatience } from '../../../src/core/pod-time.ts';
import { fixtureCircumstances, fixtureFacts, readClusterFixtures } from '../../core/cluster-fixtures.ts';
import { createManualClock, type ManualClock } from '../manual-clock.ts';
import { createMachine, noNamespaces, type Machine, type MachineOptions } from './machine.ts';

const minuteMs = 60_000;
const longestPauseMs = 15_000;
const timeoutMs = 5 * 60 * minuteMs;
const storeMs = usualStorePatience * 1_000;
/** What looks after the pod all the time, whoever is away. */
const everyMs = 2_000;

/** Waiting for the world: everything short but what comes around anyway. */
const isPause = (milliseconds: number): boolean => milliseconds <= longestPauseMs && milliseconds !== everyMs;

/** Lets so much time go by, in which everybody who waits for the world asks it again and again. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  const end = clock.now() + milliseconds;
  while (clock.now() < end) {
    await clock.armed(isPause);
    clock.advance(Math.min(longestPauseMs, end - clock.now()));
  }
}

/** A command that ends when it is told to, and an agent whose clock is in our hands. */
function createTask(
  clock: ManualClock,
  gate: NonNullable<MachineOptions['gate']>,
  agent: Partial<PodOptions> = {},
): Promise<Machine> {
  return createMachine({
    script:
      'HERE=${0%/*}/..; echo up; until [ -e "$HERE/end" ]; do sleep 0.02; done; echo over; echo kept >file',
    agent: { clock, timeoutMs, storeMs, ...agent },
    gate,
  });
}

/** Resolves once the agent knows of the end of the command that it told to end, from which on its patience counts. */
async function end(pod: Machine, clock: ManualClock, patienceMs = storeMs): Promise<void> {
  writeFileSync(join(dirname(pod.places.io), 'end'), '');
  await clock.armed(patienceMs);
}

describe.skipIf(noNamespaces !== null)('an AME that is away', () => {
  test.each([
    { ends: 5, back: 60, held: 55 * 60 },
    { ends: 55, back: 60, held: 5 * 60 },
    { ends: 1, back: 1.5, held: null },
  ])(
    'for $back minutes, while the command ends in minute $ends, gets all of it once',
    async ({ ends, back, held }) => {
      const clock = createManualClock();
      const ame = { isAway: true, refused: 0, reports: 0 };
      await using pod = await createTask(clock, (call) => {
        if (!ame.isAway) return void (ame.reports += call === 'finish' ? 1 : 0);
        ame.refused += 1;
        throw new Error('AME is away');
      });
      const both = Promise.all([pod.agent(), pod.entry()]);
      await clock.armed(timeoutMs);
      await pass(clock, ends * minuteMs);
      await end(pod, clock);
      await pass(clock, (back - ends) * minuteMs);
      await clock.armed(isPause);
      ame.isAway = false;
      clock.advance(longestPauseMs);
      expect(await both).toEqual([0, 0]);

      const report = await pod.report;
      expect(report).toMatchObject({ ending: { exitCode: 0 }, fault: null, interrupted: null });
      expect(report.artifacts.map(({ path }) => path)).toEqual(['file']);
      expect(pod.text()).toBe('up\nover\n');
      const notice = new RegExp(`^Storing what it left took (\\d+) s, during which it held its machine\\.$`);
      const told = report.notices.map((words) => Number(notice.exec(words)?.[1]));
      if (held === null) expect(told).toEqual([]);
      else expect(told.map((seconds) => Math.abs(seconds - held) <= 15)).toEqual([true]);
      expect(ame.reports).toBe(1);
      // It was asked all the while.
      expect(ame.refused).toBeGreaterThan(2 * back);
    },
  );

  test.each([
    { what: 'for longer than the patience', shut: () => true },
    { what: 'and takes all but content', shut: (call: string) => call === 'writeBlob' },
  ])('$what lets the machine go, and the cluster tells why', async ({ shut }) => {
    const clock = createManualClock();
    const patienceMs = 90_000;
    let isOver = false;
    await using pod = await createTask(
      clock,
      (call) => {
        if (shut(call)) throw new Error('no room');
      },
      { storeMs: patienceMs },
    );
    const both = Promise.all([pod.agent(), pod.entry()]).finally(() => (isOver = true));
    await clock.armed(timeoutMs);
    await end(pod, clock, patienceMs);
    await pass(clock, patienceMs - 1);
    expect(isOver).toBe(false);
    clock.advance(1);
    // The command's own end is told by its container, and the agent's last word counts.
    expect(await both).toEqual([1, 0]);
    const message = await pod.lastWord();
    expect(message).toMatch(
      /^ame: store-failed: What it left was not stored within 90 s of its end, and its machine is let go: AME answered with 500/,
    );
    const fixture = readClusterFixtures().get('agent-store-failed');
    if (fixture === undefined) return expect.unreachable('there is no such fixture');
    const facts = fixtureFacts(fixture);
    if (facts.pod?.agent?.state !== 'terminated') return expect.unreachable('its agent has not ended');
    const agent = { ...facts.pod.agent, message };
    const seen = observeCluster({ ...facts, pod: { ...facts.pod, agent } }, fixtureCircumstances(fixture));
    expect(seen).toMatchObject({
      kind: 'over',
      ending: { class: 'store_failed', reason: expect.stringContaining('not stored within 90 s of its end') },
    });
    // By the table nobody's command is to blame, and it is run again without any of the user's retries.
    expect(outcomes.store_failed).toMatchObject({ blame: 'us', retry: 'infrastructure' });
  });

  test('is waited for by an agent that takes over only as long as the one before it would have', async () => {
    const clock = createManualClock();
    await using pod = await createTask(clock, () => {});
    const startedAt = new Date(clock.now());
    const progress = await openProgress(pod.places.state, { preparedFrom: startedAt });
    await progress.save({ startedAt, endedAt: startedAt });
    clock.advance(storeMs - 30_000);
    const agent = pod.agent({ url: 'http://127.0.0.1:1' });
    const word = pod.exists(pod.places.lastWord);
    await pass(clock, 30_000);
    await word;
    pod.take();
    clock.advance(everyMs);
    expect(await agent).toBe(1);
    expect(await pod.lastWord()).toMatch(
      /^ame: store-failed: .* within 4200 s of its end.*cannot be reached/,
    );
  });
});
