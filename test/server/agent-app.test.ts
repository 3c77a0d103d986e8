import { expect, test } from 'vitest';
import { attemptToken } from '../../src/attempt/token.ts';
import { createAgentApp } from '../../src/server/agent-app.ts';
import { openTestAme, token } from './ame.ts';

test('pods find their door and whether the server lives, and nothing that people use', async () => {
  await using opened = await openTestAme();
  const app = createAgentApp(opened.ame);
  const ask = async (path: string, bearer: string): Promise<number> => {
    const headers = { host: '10.0.0.7:8081', authorization: `Bearer ${bearer}` };
    return (await app.request(path, { headers })).status;
  };
  expect(await ask('/healthz', '')).toBe(200);
  expect(await ask('/agent/v1/attempts/1/input', '')).toBe(401);
  // Known, and over: there is no such attempt.
  expect(await ask('/agent/v1/attempts/1/input', attemptToken(opened.ame.ownKey, 1))).toBe(410);
  for (const path of ['/', '/api/v1/runs', '/setup', '/metrics', '/git/a/b.git/info/refs', '/webhook'])
    expect([path, await ask(path, token)]).toEqual([path, 404]);
});
