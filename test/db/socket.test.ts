import { expect, test } from 'vitest';
import { createSocket } from '../../src/db/socket.ts';

test('a socket that was never connected breaks by itself, and nothing else does', async () => {
  const socket = createSocket(1);
  await new Promise((resolve) => socket.once('close', resolve));
  expect(socket.errored).toMatchObject({ code: 'ETIMEDOUT' });
});
