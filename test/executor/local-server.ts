/** A server with one attempt, to be killed: directory, script, grace in milliseconds. Says when the attempt has printed. */
import { createLocalExecutor } from '../../src/executor/local/local-executor.ts';
import { attemptOrder, createMemoryDoor, quietLog } from '../agent/memory-door.ts';

const [directory = '', script = '', graceMs = '0'] = process.argv.slice(2);
const door = createMemoryDoor();
const executor = await createLocalExecutor<void>({
  directory,
  slots: 1,
  host: 'here',
  door,
  fetch: () => Promise.resolve(),
  collect: () => Promise.resolve({ output: 'f'.repeat(64), artifacts: [] }),
  baseEnv: { PATH: process.env['PATH'] ?? '' },
  graceMs: Number(graceMs),
  log: quietLog,
  gpus: [],
});
await executor.start(attemptOrder(1, script));
await door.printed(1, 'up');
process.stdout.write('up\n');
