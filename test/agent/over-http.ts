import { serve } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../src/agent/clock.ts';
import { stallMs } from '../../src/agent/door-calls.ts';
import { createHttpDoor, type HttpDoorOptions } from '../../src/agent/http-door.ts';
import { attemptToken } from '../../src/attempt/token.ts';
import type { AttemptDoor } from '../../src/core/attempt.ts';
import { createAgentDoor, type AgentDoorDeps } from '../../src/server/agent.ts';
import { createHastyClock } from './manual-clock.ts';
import { quietLog } from './memory-door.ts';

export const doorKey = new Uint8Array(32).fill(3);

/** How an attempt reaches its door. */
export const doorWays = ['by calls', 'over HTTP'] as const;
export type DoorWay = (typeof doorWays)[number];

export type Reached = AsyncDisposable & {
  readonly door: AttemptDoor;
  readonly url: string;
  readonly port: number;
};

/** Pauses are over at once; no connection is ever taken for stalled. */
export function createDoorClock(): Clock {
  const hasty = createHastyClock();
  return {
    now: () => hasty.now(),
    after: (milliseconds, callback) =>
      milliseconds === stallMs ? () => undefined : hasty.after(milliseconds, callback),
  };
}

/** The door of attempt 1 as it is reached over HTTP, with a server of its own before it. */
export async function overHttp(
  door: AttemptDoor,
  changes: Partial<HttpDoorOptions> = {},
  deps: Partial<AgentDoorDeps> = {},
): Promise<Reached> {
  const app = createAgentDoor({ door, ownKey: doorKey, log: quietLog, ...deps });
  const { promise, resolve } = Promise.withResolvers<AddressInfo>();
  const server = serve(
    { fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false },
    resolve,
  );
  const { port } = await promise;
  const url = `http://127.0.0.1:${port}`;
  const token = attemptToken(doorKey, 1);
  return {
    url,
    port,
    door: createHttpDoor({ url, attempt: 1, token, clock: createDoorClock(), ...changes }),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}

/** The door itself, or the way to it over HTTP. */
export async function reach(way: DoorWay, door: AttemptDoor): Promise<AttemptDoor & AsyncDisposable> {
  if (way === 'by calls') return { ...door, [Symbol.asyncDispose]: () => Promise.resolve() };
  const reached = await overHttp(door);
  return { ...reached.door, [Symbol.asyncDispose]: () => reached[Symbol.asyncDispose]() };
}
