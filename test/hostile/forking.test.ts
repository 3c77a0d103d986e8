import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createAme } from '../journeys/harness.ts';

const hasProc = existsSync('/proc/self/environ');
if (!hasProc) console.log('skipped: processes are found by their environment, which /proc alone shows');

/** Processes that have this word in their environment. */
async function countMarked(word: string): Promise<number> {
  let count = 0;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    // Some end while they are looked at, and of those that wait for their parent nothing can be read.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (environment.includes(word)) count += 1;
  }
  return count;
}

test.skipIf(!hasProc)(
  'a command that forks without end, out of its group too, ends whole when it is cancelled',
  async () => {
    await using ame = await createAme({ env: { AME_GRACE: '0' } });
    const repository = await ame.repository();
    const word = randomUUID();
    await repository.push({
      'fork.sh': `trap '' TERM HUP
i=0
while :; do
  (trap '' TERM HUP; sleep 600) &
  setsid sh -c "trap '' TERM; sleep 600" &
  i=$((i + 1))
  test $i = 20 && echo forked
  sleep 0.02
done
`,
      'ame.yaml': `projectname: forks\non: push\ntasks:\n  main: {runcommand: sh fork.sh, env: {WORD: ${word}}}\n`,
    });
    const run = await ame.until(async () => (await ame.read.runs(repository))[0]);
    await ame.until(async () => ((await ame.read.log(run, 'main')).includes('forked') ? true : undefined));
    expect(await countMarked(word)).toBeGreaterThan(20);
    expect((await ame.api('POST', `/runs/${run.id}/cancel`)).status).toBe(202);
    await ame.settle();
    expect(await ame.read.run(repository)).toMatchObject({ state: 'cancelled' });
    expect(await countMarked(word)).toBe(0);
  },
);
