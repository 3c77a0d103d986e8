import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { answer, createClient, type Client } from '../src/cli/client.ts';
import { followLog } from '../src/cli/follow-log.ts';
import { startChildServer, type ChildServer } from '../test/journeys/child-server.ts';
import { percentile, type Figures } from './figures.ts';

const run = promisify(execFile);
const lines = 2_000_000;

/**
 * Lines a second from a task to one who follows its log over HTTP, the server, the task and the reader on the same
 * cores; and milliseconds from a line being printed to its being read, at fifty lines a second.
 */
export async function benchLogs(): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const server = await startChildServer(join(directory, 'data'), {});
  try {
    const flood = await follow(server, join(directory, 'flood'), `seq ${lines}`);
    const slow = await follow(
      server,
      join(directory, 'slow'),
      'for i in $(seq 300); do date +%s%3N; sleep 0.02; done',
    );
    const delays = slow.read
      .map(({ text, at }) => at - Number(text))
      .filter((delay) => Number.isFinite(delay));
    const figures = {
      lines: flood.read.length,
      linesPerSecond: Math.round(flood.read.length / flood.seconds),
      delayP50Ms: Math.round(percentile(delays, 0.5)),
      delayP95Ms: Math.round(percentile(delays, 0.95)),
    };
    return {
      name: 'logs',
      figures,
      aims: { lines: `= ${lines}`, linesPerSecond: '>= 50000', delayP95Ms: '<= 100' },
      met: figures.lines === lines && figures.linesPerSecond >= 50_000 && figures.delayP95Ms <= 100,
    };
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Pushes a task with this command and reads its log as it grows. Seconds are those from the first line to the last. */
async function follow(server: ChildServer, clone: string, command: string) {
  const client = createClient(server);
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-C', clone, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
  await run('git', ['init', '--quiet', '--initial-branch=main', clone]);
  await writeFile(
    join(clone, 'ame.yaml'),
    `projectname: logs\non: push\ntasks:\n  main: ${JSON.stringify(command)}\n`,
  );
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'print');
  await git('push', '--quiet', server.cloneUrl('bench', `logs-${command.length}`), 'main');
  const attempt = await newestAttempt(client);
  const read: { readonly text: string; readonly at: number }[] = [];
  let rest = '';
  let from = 0;
  for await (const { bytes } of followLog(client, attempt)) {
    const at = Date.now();
    from ||= performance.now();
    const parts = (rest + Buffer.from(bytes).toString('latin1')).split('\n');
    rest = parts.pop() ?? '';
    for (const text of parts) read.push({ text, at });
  }
  return { read, seconds: (performance.now() - from) / 1_000 };
}

async function newestAttempt(client: Client): Promise<number> {
  for (;;) {
    const { runs } = await answer(client.api.runs.$get({ query: { state: 'running' } }));
    const [newest] = runs;
    if (newest) {
      const { attempts } = await answer(client.api.runs[':id'].$get({ param: { id: String(newest.id) } }));
      const [attempt] = attempts;
      if (attempt) return attempt.id;
    }
    await sleep(20);
  }
}
