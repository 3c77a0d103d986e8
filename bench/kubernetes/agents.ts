import { attemptToken } from '../../src/attempt/token.ts';
import { doorPath, reportWord } from '../../src/core/door-wire.ts';
import type { Replica } from './replica.ts';

/** Says at the door what the agents of these attempts would say, a few at a time: that their commands run. */
export function sayStarted(replica: Replica, attempts: readonly number[]): Promise<void> {
  return forEach(attempts, (id) => say(replica, id, '/started', { at: new Date().toISOString() }));
}

/** That they ended with 0 and left nothing. */
export function sayEnded(replica: Replica, attempts: readonly number[]): Promise<void> {
  return forEach(attempts, (id) => {
    const now = new Date();
    const phases = { preparedFrom: now, startedAt: now, endedAt: now, storedAt: now };
    return say(
      replica,
      id,
      '/report',
      reportWord({
        ending: { exitCode: 0, signal: null },
        fault: null,
        phases,
        output: null,
        artifacts: [],
        notices: [],
        peakMemoryBytes: null,
      }),
    );
  });
}

async function say(replica: Replica, id: number, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${replica.agentAddress}${doorPath(id)}${path}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${attemptToken(replica.ownKey, id)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`the door answers ${response.status}: ${await response.text()}`);
}

const atOnce = 16;

async function forEach(attempts: readonly number[], work: (id: number) => Promise<void>): Promise<void> {
  const left = [...attempts];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) await work(id);
    }),
  );
}
