import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export type AgentAddressOptions = {
  /** What the administrator says: taken as it is. */
  readonly url: string | null;
  /** Of the agent's door. */
  readonly port: number;
  /** The address of the cluster's API server. */
  readonly apiServer: string;
};

/**
 * The address at which pods reach the agent's door, without a slash at its end: the configured one, else this
 * machine's address on the way to the API server, where the nodes of the cluster most likely are. A datagram socket
 * is asked for it, which sends nothing. Throws what the system says where there is no such way.
 */
export async function findAgentAddress({ url, port, apiServer }: AgentAddressOptions): Promise<string> {
  if (url !== null) return url.replace(/\/+$/, '');
  const { hostname, port: theirs, protocol } = new URL(apiServer);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.connect(Number(theirs || (protocol === 'http:' ? 80 : 443)), host);
    await once(socket, 'connect');
    const { address } = socket.address();
    return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  } finally {
    socket.close();
  }
}
