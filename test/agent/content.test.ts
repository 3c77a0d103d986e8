import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createContent } from '../../src/agent/content.ts';
import { AttemptFaultError } from '../../src/core/attempt.ts';
import { asAttemptDoor, createBlobDoor, saved } from './blob-door.ts';
import { createManualClock } from './manual-clock.ts';
import { doorWays, reach } from './over-http.ts';

/** What is thrown otherwise is tried again for ten minutes, in which nothing would come back. */
test.each(doorWays)(
  'what the store has not any more is a fault at once, and said by its digest (%s)',
  async (way) => {
    const root = await mkdtemp(join(tmpdir(), 'ame-content-'));
    try {
      const blobs = createBlobDoor();
      const tree = blobs.saveTree([saved(blobs, 'f', 'spam')]);
      const digest = blobs.save('spam');
      blobs.blobs.delete(digest);
      await using reached = await reach(way, asAttemptDoor(blobs));
      const { fetch } = createContent({ clock: createManualClock() });
      const { signal } = new AbortController();
      const failure = fetch({
        door: reached,
        attempt: 1,
        root: tree,
        directory: join(root, 'work'),
        signal,
      });
      await expect(failure).rejects.toThrow(AttemptFaultError);
      await expect(failure).rejects.toMatchObject({ fault: { class: 'restore_failed' } });
      await expect(failure).rejects.toThrow(digest);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
);
