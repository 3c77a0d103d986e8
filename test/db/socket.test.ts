import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createSocket } from '../../src/db/socket.ts';

test('a socket that was never connected breaks by itself, and nothing else does', async () => {
  const socket = createSocket(1);
  await once(socket, 'close');
  expect(socket.errored).toMatchObject({ code: 'ETIMEDOUT' });
});
