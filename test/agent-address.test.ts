import { expect, test } from 'vitest';
import { findAgentAddress } from '../src/agent-address.ts';

test.each([
  ['http://ame.example:8081/', 'https://10.0.0.1:6443', 'http://ame.example:8081'],
  [null, 'https://127.0.0.1:6443', 'http://127.0.0.1:8081'],
  [null, 'https://127.0.0.1', 'http://127.0.0.1:8081'],
  [null, 'http://127.0.0.1', 'http://127.0.0.1:8081'],
])(
  'with %j configured and the API server at %s pods find the agent’s door at %s',
  async (url, apiServer, found) => {
    expect(await findAgentAddress({ url, port: 8081, apiServer })).toBe(found);
  },
);
