import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { slowest } from '../../src/server/agent/body.ts';
import { createWebhookDoor } from '../../src/server/webhook.ts';
import { createManualClock } from '../agent/manual-clock.ts';
import { refusalOf } from '../server/ame.ts';

const clock = createManualClock();

/** The door for webhooks, and a sender who has not proved anything. Nothing may be stored. */
function send(body: ReadableStream<Uint8Array>): Promise<Response> {
  const door = createWebhookDoor({
    secrets: () => Promise.resolve(['a secret of the test']),
    known: () => ['a secret of the test'],
    inbox: { put: () => Promise.reject(new Error('stored')) },
    log: createLog('silent'),
    clock,
  });
  const headers = { 'x-hub-signature-256': 'sha256=00' };
  return Promise.resolve(door.request('/webhooks/github', { method: 'POST', body, duplex: 'half', headers }));
}

test('a delivery that never comes is not waited for', async () => {
  const answer = send(new ReadableStream<Uint8Array>());
  await clock.armed(slowest.silentMs);
  clock.advance(slowest.silentMs);
  expect(await refusalOf(await answer)).toEqual([408, 'too-slow']);
  expect((await answer).headers.get('connection')).toBe('close');
});

test('a delivery of which a byte comes now and then is not waited for', async () => {
  let pieces = 0;
  const drips = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pieces += 1;
        clock.advance(slowest.silentMs / 6);
        controller.enqueue(new Uint8Array(1));
      },
    },
    { highWaterMark: 0 },
  );
  expect(await refusalOf(await send(drips))).toEqual([408, 'too-slow']);
  expect(pieces).toBeLessThan(10);
});
