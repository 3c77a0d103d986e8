/**
 * Collects the workspace that its argument names, in a process of its own, and says by how many bytes the memory of
 * that process grew meanwhile and how much the door was given.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { collectWorkspace } from '../../src/agent/collect.ts';
import { noStates } from '../../src/agent/file-states.ts';

const [directory = ''] = process.argv.slice(2);
const before = process.memoryUsage.rss();
let peak = before;
let bytes = 0;
const sample = (): void => {
  peak = Math.max(peak, process.memoryUsage.rss());
};
// For the time in which files are only read; what is sent is looked at chunk by chunk.
const sampling = setInterval(sample, 10);

await collectWorkspace({
  attempt: 1,
  directory,
  known: noStates,
  now: Date.now,
  door: {
    missingBlobs: (_attempt, digests) => Promise.resolve(new Set(digests)),
    async writeBlob(_attempt, digest, content) {
      const hash = createHash('sha256');
      for await (const chunk of content) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        sample();
        // Whoever reads files ahead of a door that takes its time would fill the memory with them.
        await setImmediate();
      }
      if (hash.digest('hex') !== digest) throw new Error(`what came was not ${digest}`);
    },
  },
});
clearInterval(sampling);
process.stdout.write(JSON.stringify({ bytes, grown: peak - before }));
