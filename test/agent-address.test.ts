import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { findAgentAddress } from '../src/agent-address.ts';

const nodes = async (): Promise<readonly string[]> => [];

test('with an address configured pods find the agent’s door there', async () => {
  const given = { url: 'http://ame.example:8081/', port: 8081, apiServer: 'https://10.0.0.1:6443', nodes };
  expect(await findAgentAddress(given)).toBe('http://ame.example:8081');
});

test.each(['https://127.0.0.1:6443', 'https://127.0.0.1', 'http://127.0.0.1', 'https://localhost:6443'])(
  'pods of a cluster within this machine, whose API server is at %s, are not sent to themselves',
  async (apiServer) => {
    const found = await findAgentAddress({ url: null, port: 8081, apiServer, nodes }).catch(String);
    // A machine without any way out has no such address.
    expect(found).toMatch(/^http:\/\/(?!127\.|\[::1\])\S+:8081$|E(NET|HOST)UNREACH/);
  },
);

test('where the nodes are on a network of this machine, its own address there is the one', async () => {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  for (const { address, family, internal } of own) {
    if (internal || family !== 'IPv4') continue;
    const found = await findAgentAddress({
      url: null,
      port: 8081,
      apiServer: 'https://127.0.0.1:6443',
      nodes: async () => ['no address', address],
    });
    expect(found).toBe(`http://${address}:8081`);
  }
});
