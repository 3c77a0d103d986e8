import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ownKeyOf } from '../../src/attempt/own-key.ts';
import type { Env } from '../../src/config.ts';
import { asStarted } from '../../test/as-started.ts';
import { identify } from '../../src/db/identity.ts';

/** One server in a process of its own, whose attempts run on the cluster. */
export type Replica = AsyncDisposable & {
  readonly address: string;
  readonly agentAddress: string;
  readonly token: string;
  readonly databaseUrl: string;
  /** What tokens of attempts are made with: the benchmark speaks as the agents that fake nodes do not run. */
  readonly ownKey: Uint8Array;
  readonly cloneUrl: (name: string) => string;
  /** What it has used so far: seconds of one core, MiB of memory now and at most. */
  readonly used: () => { readonly cpuSeconds: number; readonly rssMib: number; readonly peakMib: number };
};

const secretKey: Uint8Array = new Uint8Array(32).fill(11);

const script = fileURLToPath(new URL('../../test/journeys/server.ts', import.meta.url));
/** Of Linux: what /proc counts a process's time in. */
const ticksPerSecond = 100;

export async function startReplica(directory: string, namespace: string, env: Env): Promise<Replica> {
  const agentPort = await freePort();
  const child = spawn(process.execPath, [...asStarted, script, directory], {
    env: {
      ...process.env,
      PORT: '0',
      AME_EXECUTOR: 'kubernetes',
      AME_K8S_NAMESPACE: namespace,
      AME_AGENT_PORT: String(agentPort),
      AME_SECRET_KEY: Buffer.from(secretKey).toString('hex'),
      AME_LOG_LEVEL: 'error',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const first = await Promise.race([once(createInterface(child.stdout), 'line'), exited.then(() => null)]);
  if (first === null) throw new Error('the server did not start');
  const told = JSON.parse(String(first[0])) as Pick<Replica, 'address' | 'token' | 'databaseUrl'>;
  const pid = child.pid ?? 0;
  return {
    ...told,
    ownKey: ownKeyOf(secretKey, await identify(told.databaseUrl)),
    agentAddress: `http://127.0.0.1:${agentPort}`,
    cloneUrl: (name) => `${told.address.replace('//', `//ame:${told.token}@`)}/git/bench/${name}.git`,
    used() {
      const times = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const mib = (name: string): number =>
        Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1_024;
      const cpuSeconds = (Number(times[11]) + Number(times[12])) / ticksPerSecond;
      return { cpuSeconds, rssMib: mib('VmRSS'), peakMib: mib('VmHWM') };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
