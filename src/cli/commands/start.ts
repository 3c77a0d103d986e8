import { parseConfig } from '../../config.ts';
import type { Server } from '../../main.ts';
import { answer, createClient, directoryOf, type Client } from '../client.ts';
import { listenForEnd } from '../end-signals.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { followRun } from '../follow-run.ts';
import { giveBackSoon } from '../give-back.ts';
import { createPlainLog } from '../plain-log.ts';
import { note, print, type Terminal } from '../terminal.ts';
import { printVerdict } from '../verdict.ts';
import { watchRuns } from '../watch-runs.ts';
import { pageAddress } from '../words.ts';
import { listRuns, runLines } from './runs.ts';

/** Runs that a warm start shows. */
const shownRuns = 5;

/**
 * What `npm start` runs: the server, on the first start the sample with its run, and then whatever happens until
 * it is asked to end.
 */
export async function start(terminal: Terminal, options: { readonly sample: boolean }): Promise<ExitCode> {
  const config = parseConfig(terminal.env);
  const directory = directoryOf(terminal);
  const end = listenForEnd(terminal, 'Stopping; Ctrl-C once more ends at once.');
  try {
    // Takes seconds the first time. Elsewhere nobody waits, and a refusal stays one line.
    if (terminal.stdout.isTTY) print(terminal, `Starting AME in ${directory}`);
    const { startServer } = await import('../../main.ts');
    const server = await startServer(config, directory, createPlainLog(terminal, config.logLevel));
    try {
      await welcome(terminal, server, options, end.signal);
      giveBackSoon();
      await watchRuns(terminal, server, end.signal);
    } catch (error) {
      if (!end.signal.aborted) throw error;
    } finally {
      await server.stop();
    }
    print(terminal, 'Stopped.');
    return exitCodes.good;
  } finally {
    end.stopListening();
  }
}

async function welcome(
  terminal: Terminal,
  server: Server,
  options: { readonly sample: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { bold } = terminal.colors;
  const client = createClient(server);
  print(terminal, `AME runs at ${bold(pageAddress(`${server.address}/`, server.token))}`);
  const { hasSample } = await import('../../sample/push-sample.ts');
  if (options.sample && !(await hasSample({ ...server, signal })))
    await showSample(terminal, server, client, signal);
  else await showHistory(terminal, client);
  await printNext(terminal, server, client);
}

/** Pushes the sample and shows its run from the push to the verdict. */
async function showSample(
  terminal: Terminal,
  server: Server,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  const { pushSample, SampleError, sampleRepository } = await import('../../sample/push-sample.ts');
  print(terminal);
  print(terminal, `git push ${server.address}/git/${sampleRepository.owner}/${sampleRepository.name}.git`);
  try {
    const commit = await pushSample({ ...server, signal }, (line) =>
      print(terminal, terminal.colors.dim(`remote: ${line}`)),
    );
    print(terminal);
    const id = await runOfCommit(server, client, commit, signal);
    if (id === undefined)
      throw new SampleError('The push of the sample has not been decided: ame why says more.');
    printVerdict(terminal, client, await followRun(terminal, client, id, { signal }));
    print(terminal, 'Its schedule every_minute ticks every minute: the next run comes by itself.');
  } catch (error) {
    // The server is of use without it.
    if (!(error instanceof SampleError) || signal.aborted) throw error;
    note(terminal, `ame: ${error.message}`);
  }
}

/** Milliseconds that a decision may take here, where nothing else is to be decided. */
const patienceMs = 60_000;

/** The push waits for the decision, but not for long. */
async function runOfCommit(
  server: Server,
  client: Client,
  commit: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const decided = server.context.hints.wait('decided', 200, signal);
    // The schedule of the sample makes runs of this commit too.
    const [run] = await listRuns(client, { commit, task: 'main' }, 1);
    if (run !== undefined) return run.id;
    await decided;
    signal.throwIfAborted();
  }
  return undefined;
}

async function showHistory(terminal: Terminal, client: Client): Promise<void> {
  const found = await listRuns(client, {}, shownRuns);
  print(terminal);
  print(
    terminal,
    found.length === 0 ? 'Nothing has been pushed yet.' : 'Everything is still here. The latest runs:',
  );
  if (found.length === 0) return;
  print(terminal);
  for (const line of runLines(terminal, found)) print(terminal, line);
}

async function printNext(terminal: Terminal, server: Server, client: Client): Promise<void> {
  const [{ cloneAddress }, { sampleRepository }, { app }] = await Promise.all([
    import('../../main.ts'),
    import('../../sample/push-sample.ts'),
    answer(client.api.github.$get()),
  ]);
  const { owner, name } = sampleRepository;
  const { bold, dim } = terminal.colors;
  print(terminal);
  print(terminal, 'Try next, in another terminal:');
  print(terminal, `  ${bold(`git clone ${cloneAddress(server, owner, name)}`)}`);
  print(terminal, `  ${bold(`cd ${name}`)}    ${dim('and change something, such as STEPS in train.py')}`);
  print(terminal, `  ${bold("git commit -am 'Try fewer steps' && git push")}`);
  if (app === null)
    print(
      terminal,
      `  ${bold(`${server.address}/setup`)}    ${dim(`connects GitHub; it asks for the token ${server.token}`)}`,
    );
  print(terminal);
  print(terminal, 'Ctrl-C stops AME; everything is kept.');
}
