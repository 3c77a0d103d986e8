import { connect, type Socket } from 'node:net';

/** One answer: its status, and milliseconds from the first byte sent to the last one read. */
export type Answer = { readonly status: number; readonly ms: number };

/**
 * Posts prepared requests over a few kept connections, each as soon as the one before it is answered. Written on bare
 * sockets, because the load stands beside the server on the same cores: Node's own client took as much CPU as the server.
 * `next` answers with the bytes of a whole request, or null when there are no more; it may wait.
 */
export async function postAll(
  address: string,
  connections: number,
  next: () => Promise<Buffer | null> | Buffer | null,
): Promise<readonly Answer[]> {
  const { hostname, port } = new URL(address);
  const answers: Answer[] = [];
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(Number(port), hostname);
      socket.setNoDelay(true);
      try {
        for (let request = await next(); request !== null; request = await next()) {
          const from = performance.now();
          socket.write(request);
          const status = await readAnswer(socket);
          answers.push({ status, ms: performance.now() - from });
        }
      } finally {
        socket.destroy();
      }
    }),
  );
  return answers;
}

/** Reads one answer to its end, which its Content-Length tells, or its last piece where it comes in pieces. */
function readAnswer(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const data = (bytes: Buffer): void => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = text.slice(0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const inPieces = /\r\ntransfer-encoding: chunked/i.test(head);
      if (inPieces ? !text.endsWith('\r\n0\r\n\r\n') : text.length < end + 4 + length) return;
      stop();
      resolve(Number(text.slice(9, 12)));
    };
    const fail = (error: Error): void => {
      stop();
      reject(error);
    };
    const closed = (): void => fail(new Error('the connection was closed before an answer'));
    const stop = (): void => {
      socket.off('data', data).off('error', fail).off('close', closed);
    };
    socket.on('data', data).on('error', fail).on('close', closed);
  });
}
