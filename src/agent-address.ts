import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export type AgentAddressOptions = {
  /** What the administrator says: taken as it is. */
  readonly url: string | null;
  /** Of the agent's door. */
  readonly port: number;
  /** The address of the cluster's API server. */
  readonly apiServer: string;
  /** Addresses of the cluster's nodes; asked for only where the API server's own says nothing. */
  readonly nodes: () => Promise<readonly string[]>;
};

/** Addresses that belong to nobody, beyond every network: the way to them is the way out of this machine. */
const outside = ['192.0.2.1', '2001:db8::1'] as const;

/**
 * The address at which pods reach the agent's door, without a slash at its end: the configured one, else this
 * machine's address on the way to the API server, where the nodes of the cluster most likely are. A cluster within
 * this machine (kind, k3d) has its API server at a loopback address, which to a pod is the pod itself: then this
 * machine's address on the way to its nodes, which is on the bridge that they share, and where they cannot be seen the
 * one on the way out. (On the way out a node's own address translation comes in between: measured on a cluster whose
 * nodes are on this machine, connections of pods to that address stood still for 40 s, one in five.) Throws what the
 * system says where there is no such way, and what the API server says of its nodes.
 */
export async function findAgentAddress(options: AgentAddressOptions): Promise<string> {
  const { url, port, apiServer } = options;
  if (url !== null) return url.replace(/\/+$/, '');
  const { hostname, port: theirs, protocol } = new URL(apiServer);
  const theirPort = Number(theirs || (protocol === 'http:' ? 80 : 443));
  const near = await addressTowards(hostname.replace(/^\[|\]$/g, ''), theirPort);
  const address = isLoopback(near) ? await beyondLoopback(await options.nodes(), theirPort) : near;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** This machine's address on a way of its own to one of the nodes, else on the way out. */
async function beyondLoopback(nodes: readonly string[], port: number): Promise<string> {
  const [four, six] = outside;
  const out = await addressTowards(four, port).catch(() => addressTowards(six, port).catch(() => null));
  for (const node of nodes) {
    const near = await addressTowards(node, port).catch(() => out);
    if (near !== null && near !== out && !isLoopback(near)) return near;
  }
  // Asked once more for the system's own words.
  return out ?? addressTowards(four, port);
}

/** This machine's address on the way to another one. A datagram socket is asked for it, which sends nothing. */
async function addressTowards(host: string, port: number): Promise<string> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.connect(port, host);
    await once(socket, 'connect');
    return socket.address().address;
  } finally {
    socket.close();
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
