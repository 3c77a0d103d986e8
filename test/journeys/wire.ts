import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wire to a TCP server that can be cut, frozen and mended. */
export type Wire = AsyncDisposable & {
  /** The address with the wire in between. */
  readonly url: string;
  /** Ends all connections, and refuses new ones. */
  cut(): void;
  /** Carries nothing from now on, and closes nothing: new connections are taken, and never answered. */
  freeze(): void;
  /** Also carries on what froze. */
  mend(): void;
};

export async function createWire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target);
  const sockets = new Map<Socket, Socket>();
  let state: 'whole' | 'cut' | 'frozen' = 'whole';
  const server = createServer((near) => {
    if (state === 'cut') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.set(from, to);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (state === 'whole') from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  // What a listening TCP server answers with; only one on a pipe has a text.
  url.port = String((server.address() as AddressInfo).port);
  const cut = (): void => {
    state = 'cut';
    for (const socket of sockets.keys()) socket.destroy();
  };
  return {
    url: url.href,
    cut,
    freeze() {
      state = 'frozen';
      for (const [from, to] of sockets) from.unpipe(to).pause();
    },
    mend() {
      if (state === 'frozen') for (const [from, to] of sockets) from.pipe(to);
      state = 'whole';
    },
    async [Symbol.asyncDispose]() {
      cut();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
