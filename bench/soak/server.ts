/** A server in a process of its own that says what it holds whenever it is asked. Its data directory is the argument. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startServer } from '../../src/main.ts';
import type { Look } from './look.ts';

/** Milliseconds between two looks at the loop; Node tells of them and of what came too late together. */
const resolution = 5;

const config = readConfig();
const log = createLog(config.logLevel, { write: (line) => void process.stderr.write(line) });
const server = await startServer(config, process.argv[2] ?? '', log);
const delay = monitorEventLoopDelay({ resolution });
delay.enable();

function look(): Look {
  const lateMs = (share: number): number =>
    delay.count === 0 ? 0 : Math.max(0, delay.percentile(share) / 1e6 - resolution);
  const late = { p50Ms: lateMs(50), p99Ms: lateMs(99), mostMs: lateMs(100) };
  // What may go is gone: what is left after it is held by somebody.
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const handles = process
    .getActiveResourcesInfo()
    .reduce<Record<string, number>>((all, name) => ({ ...all, [name]: (all[name] ?? 0) + 1 }), {});
  // The collection held the loop up, which nobody else asked for.
  delay.reset();
  return { liveMib: (heapUsed + external) / 2 ** 20, rssMib: rss / 2 ** 20, handles, late };
}

process.on('message', () => void process.send?.({ look: look() }));
const end = (): void => void server.stop().then(() => process.exit(0));
process.once('SIGTERM', end);
// Whoever started this is gone.
process.once('disconnect', end);
const { address, token, context } = server;
process.send?.({ started: { address, token, databaseUrl: context.databaseUrl } });
