import { once } from 'node:events';
import { connect as openSocket, type Socket } from 'node:net';

/** Sends a request in pieces until the server answers or closes. */
export async function pour(
  port: number,
  head: readonly string[],
  chunked: boolean,
  request = 'POST /webhooks/github',
): Promise<{ answer: string; sent: number }> {
  const socket = openSocket(port, '127.0.0.1');
  await once(socket, 'connect');
  const ended = answerOf(socket);
  const answered = new AbortController();
  void ended.then(() => answered.abort());
  socket.write(`${[`${request} HTTP/1.1`, 'Host: x', ...head].join('\r\n')}\r\n\r\n`);
  const piece = Buffer.alloc(1024 * 1024, 0x20);
  const frame = chunked ? Buffer.concat([Buffer.from('100000\r\n'), piece, Buffer.from('\r\n')]) : piece;
  let sent = 0;
  while (!answered.signal.aborted && sent < 200) {
    sent += 1;
    if (!socket.write(frame)) await Promise.race([once(socket, 'drain').catch(() => null), ended]);
  }
  const answer = await ended;
  socket.destroy();
  return { answer, sent };
}

/** The status line, as soon as there is one; '' where the connection ends without. */
function answerOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      if (text.includes('\r\n')) resolve(text.slice(0, text.indexOf('\r\n')));
    });
    socket.on('close', () => resolve(text));
    socket.on('error', () => resolve(text));
  });
}
