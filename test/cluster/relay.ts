import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wire from pods to a server of this machine, which counts, can stall, and can lead elsewhere. */
export type Relay = AsyncDisposable & {
  readonly port: number;
  /** Bytes carried so far, without what this machine itself sent and got here: from pods, and to pods. */
  carried(): { readonly up: number; readonly down: number };
  /** New connections go there. Those that are open stay with whoever they are with, as with a Service. */
  lead(to: Target): void;
  /** Closes what pods have open; what they open from now on is taken and carries nothing. Resolves at the first of these. */
  stall(): Promise<void>;
  /** Carries nothing of this pod any more and closes nothing: its machine is gone. */
  lose(address: string): void;
  /** Everything is carried again. */
  free(): void;
};

export type Target = { readonly host: string; readonly port: number };

export async function createRelay(first: Target): Promise<Relay> {
  let target = first;
  let stalled: PromiseWithResolvers<void> | null = null;
  const lost = new Set<string>();
  const carried = { up: 0, down: 0 };
  const pairs = new Map<Socket, Socket>();

  const server = createServer((near) => {
    const far = connect(target.port, target.host);
    pairs.set(near, far);
    if (!isOwn(near)) {
      near.on('data', (part: Buffer) => (carried.up += part.length));
      far.on('data', (part: Buffer) => (carried.down += part.length));
    }
    for (const [from, to] of ways(near, far)) {
      from.on('error', () => {});
      from.on('close', () => {
        pairs.delete(near);
        to.destroy();
      });
      from.pipe(to);
    }
    if (lost.has(addressOf(near)) || (stalled !== null && !isOwn(near))) {
      hold(near, far);
      stalled?.resolve();
    }
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  // What a listening TCP server answers with; only one on a pipe has a text.
  const { port } = server.address() as AddressInfo;

  return {
    port,
    carried: () => ({ ...carried }),
    lead: (to) => void (target = to),
    stall() {
      stalled = Promise.withResolvers();
      for (const near of pairs.keys()) if (!isOwn(near)) near.destroy();
      return stalled.promise;
    },
    lose(address) {
      lost.add(address);
      for (const [near, far] of pairs) if (addressOf(near) === address) hold(near, far);
    },
    free() {
      stalled = null;
      lost.clear();
      for (const [near, far] of pairs)
        for (const [from, to] of ways(near, far)) if (from.isPaused()) from.pipe(to);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const [near, far] of pairs) {
        near.destroy();
        far.destroy();
      }
      await closed;
    },
  };
}

function ways(near: Socket, far: Socket): readonly (readonly [Socket, Socket])[] {
  return [
    [near, far],
    [far, near],
  ];
}

function hold(near: Socket, far: Socket): void {
  for (const [from, to] of ways(near, far)) from.unpipe(to).pause();
}

/** AME itself speaks to its store by the address that pods use. */
function isOwn(near: Socket): boolean {
  return near.remoteAddress === near.localAddress;
}

/** IPv4 as it is written in a pod's status, also where the socket is one of IPv6. */
function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}
