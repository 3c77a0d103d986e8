import { spawn } from 'node:child_process';
import { DataDirectoryBusyError } from '../src/data-directory/lock.ts';
import { openDataDirectory } from '../src/data-directory.ts';

// A process for the tests of the lock: says `held <own child>` or `busy <holder> <address>`. One that has the lock
// keeps it until its standard input closes.
const [path = '', address = ''] = process.argv.slice(2);
try {
  const directory = await openDataDirectory(path);
  await directory.announce(address);
  const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
  console.log(`held ${child.pid}`);
  for await (const _ of process.stdin);
  child.kill();
  await directory.release();
} catch (error) {
  if (!(error instanceof DataDirectoryBusyError)) throw error;
  console.log(`busy ${error.pid} ${error.address}`);
  process.exitCode = 1;
}
