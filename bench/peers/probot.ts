import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { installFromNpm } from './install.ts';

const version = '14.3.2';
const script = fileURLToPath(new URL('probot-server.mjs', import.meta.url));

/** Where Probot's own door is. */
export const probotPath = '/api/github/webhooks';

/** Figures of an earlier measurement, for where it does not run. */
export const probotKnown = {
  probotPerSecond: {
    quoted: '3200 to 4900, nothing kept',
    source: 'measured by the authors of AME on two cores with Probot 14.3.2',
  },
  probotPacedP99Ms: {
    quoted: '3.3, nothing kept',
    source: 'measured by the authors of AME on two cores with Probot 14.3.2',
  },
};

/** Does this with a Probot that listens, with a handler that does nothing: what it takes in is kept nowhere. */
export async function withProbot<T>(
  secret: string,
  use: (address: string, version: string) => Promise<T>,
): Promise<T> {
  const { directory } = await installFromNpm('probot', version);
  const port = await freePort();
  const child = spawn(process.execPath, [script, directory, secret], {
    env: { PATH: process.env['PATH'], PORT: String(port), LOG_LEVEL: 'fatal', NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const first = await Promise.race([once(createInterface(child.stdout), 'line'), exited.then(() => null)]);
    if (first === null) throw new Error('Probot did not start');
    return await use(`http://127.0.0.1:${port}`, version);
  } finally {
    child.kill();
    await exited;
  }
}
