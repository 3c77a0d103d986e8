import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { answer, createClient, type Client } from '../src/cli/client.ts';
import { RefusalFault } from '../src/cli/fault.ts';
import { followLog } from '../src/cli/follow-log.ts';
import { startChildServer, type ChildServer } from '../test/journeys/child-server.ts';
import { percentile, type BenchOptions, type Figures } from './figures.ts';
import { beside } from './peers/beside.ts';
import { buildbotLinesKnown, measureBuildbotLines } from './peers/push-to-buildbot.ts';

const run = promisify(execFile);
const secrets = 10;
/** Of each kind in turn, so that what else the machine does falls on both alike. */
const rounds = 3;

/**
 * Lines a second from a task to one who follows its log over HTTP, the server, the task and the reader on the same
 * cores; the same with ten secrets to be hidden, of which the task prints one now and then; and milliseconds from a line
 * being printed to its being read, at fifty lines a second.
 */
export async function benchLogs({ peers, short }: BenchOptions): Promise<Figures> {
  const ame = await measureAme(short ? 200_000 : 2_000_000, short ? 50 : 300);
  return peers ? { ...ame, peers: await beside(measureBuildbotLines, buildbotLinesKnown) } : ame;
}

async function measureAme(lines: number, slowLines: number): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-bench-'));
  const server = await startChildServer(join(directory, 'data'), {});
  try {
    const flood = (name: string, command: string, secret: boolean) =>
      follow(server, join(directory, name), name, command, secret);
    const plain: number[] = [];
    const masked: number[] = [];
    let least = Infinity;
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, rates] of [
        ['plain', plain],
        ['masked', masked],
      ] as const) {
        const { read, seconds } = await flood(`${name}-${round}`, print(lines), name === 'masked');
        least = Math.min(least, read.length);
        rates.push(read.length / seconds);
        if (read.some(({ text }) => text.includes('value-of-secret')))
          throw new Error('a secret was not hidden');
      }
    }
    const slow = await flood('slow', `for i in $(seq ${slowLines}); do date +%s%3N; sleep 0.02; done`, false);
    const delays = slow.read
      .map(({ text, at }) => at - Number(text))
      .filter((delay) => Number.isFinite(delay));
    const perSecond = percentile(plain, 0.5);
    // The quickest of each: what else the machine did meanwhile is no cost of masking.
    const maskingPercent = Math.round(100 * (1 - Math.max(...masked) / Math.max(...plain)));
    const figures = {
      lines: least,
      linesPerSecond: Math.round(perSecond),
      linesPerSecondMasked: Math.round(percentile(masked, 0.5)),
      maskingPercent,
      delayP50Ms: Math.round(percentile(delays, 0.5)),
      delayP95Ms: Math.round(percentile(delays, 0.95)),
    };
    return {
      name: 'logs',
      figures,
      aims: {
        lines: `= ${lines}`,
        linesPerSecond: '>= 50000',
        maskingPercent: '<= 20',
        delayP95Ms: '<= 100',
      },
      met:
        figures.lines === lines &&
        figures.linesPerSecond >= 50_000 &&
        maskingPercent <= 20 &&
        figures.delayP95Ms <= 100,
    };
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Lines as a training prints them. With no secret set, the one among them is a word like any other. */
function print(lines: number): string {
  const awk = `BEGIN {
    for (i = 1; i <= ${lines}; i++)
      print "epoch " int(i / 1000) " step " i " loss 0." i (i % 1000 ? "" : " token " ENVIRON["SECRET_3"])
  }`;
  return `awk '${awk.replaceAll(/\s+/g, ' ')}'`;
}

/**
 * Pushes a task with this command, in a project of its own that has ten secrets or none, and reads its log as it grows.
 * Seconds are those from the first line to the last.
 */
async function follow(
  server: ChildServer,
  clone: string,
  project: string,
  command: string,
  withSecrets: boolean,
) {
  const client = createClient(server);
  const git = (...args: string[]): Promise<unknown> =>
    run('git', ['-C', clone, '-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args]);
  const push = async (file: string): Promise<unknown> => {
    await writeFile(join(clone, 'ame.yaml'), file);
    await git('add', '.');
    await git('commit', '--quiet', '--message', 'print');
    return git('push', '--quiet', server.cloneUrl('bench', project), 'main');
  };
  const tasks = `tasks:\n  main:\n    runcommand: ${JSON.stringify(command)}\n`;
  await run('git', ['init', '--quiet', '--initial-branch=main', clone]);
  // The project has to be there before its secrets.
  await push(`projectname: ${project}\n${tasks}`);
  const names = withSecrets ? Array.from({ length: secrets }, (_, at) => `SECRET_${at}`) : [];
  await setSecrets(client, project, names);
  const used = names.length === 0 ? '' : `    secrets: [${names.join(', ')}]\n`;
  await push(`projectname: ${project}\non: push\n${tasks}${used}`);
  const attempt = await newestAttempt(client, project);
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

/** Waits for the project, which a push is about to make, and sets these. */
async function setSecrets(client: Client, project: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const value = `value-of-secret-${name}-${randomBytes(12).toString('base64')}`;
    for (let at = 0; ; at += 1) {
      try {
        await client.api.projects[':project'].secrets[':name'].$put({
          param: { project, name },
          json: { value },
        });
        break;
      } catch (error) {
        if (!(error instanceof RefusalFault && error.status === 404) || at === 600) throw error;
        await sleep(50);
      }
    }
  }
}

async function newestAttempt(client: Client, project: string): Promise<number> {
  for (;;) {
    const { runs } = await answer(client.api.runs.$get({ query: { project } }));
    const [newest] = runs;
    if (newest) {
      const { attempts } = await answer(client.api.runs[':id'].$get({ param: { id: String(newest.id) } }));
      const [attempt] = attempts;
      if (attempt) return attempt.id;
    }
    await sleep(20);
  }
}
