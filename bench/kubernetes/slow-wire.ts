import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type SlowWire = AsyncDisposable & { readonly url: string };

/** A way to a server on which each piece, there and back, takes half of `ms`: an answer takes that long at least. */
export async function openSlowWire(to: string, ms: number): Promise<SlowWire> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const target = connect(Number(port), hostname);
    for (const [one, other] of [
      [from, target],
      [target, from],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('data', (bytes) => setTimeout(() => other.writable && other.write(bytes), ms / 2));
      one.on('end', () => setTimeout(() => other.end(), ms / 2));
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // What a listening TCP server answers with; only one on a pipe has a text.
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
