import { Session } from 'node:inspector/promises';
import { hostileFile } from './mutated-file.ts';
import { createCaseRandom } from '../random.ts';
import { growing } from './wide-and-deep.ts';

/**
 * A process of its own, which counts what reading a file does: how often each block of the code in `src/core` and of
 * the YAML parser is entered, by V8's own counters. Nothing in the code knows of it, and it is the same on a slow
 * machine and on a fast one. Loops within V8, such as the search of a text, are not seen.
 *
 *     node test/fuzz/count-work.ts <seed> <cases> <sizes>      one line of JSON for each text: name, bytes, work
 *
 * The counters are put into functions as they are compiled, so that the code is loaded after they were asked for.
 */
const [seed = 1, cases = 0, sizes = 3] = process.argv.slice(2).map(Number);
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
const { parseProjectFile } = await import('../../src/core/project-file.ts');

async function count(): Promise<number> {
  // Counters begin at 0 again with each look.
  const { result } = await session.post('Profiler.takePreciseCoverage');
  let entered = 0;
  for (const { url, functions } of result) {
    if (!/\/src\/core\/|\/node_modules\/yaml\//.test(url)) continue;
    for (const { ranges } of functions) for (const range of ranges) entered += range.count;
  }
  return entered;
}

async function measure(name: string, content: string | Uint8Array): Promise<void> {
  await count();
  parseProjectFile(content);
  const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
  console.log(JSON.stringify({ name, bytes, work: await count() }));
}

for (const [name, text] of Object.entries(growing)) {
  for (const times of [200, 800, 3_200].slice(0, sizes)) await measure(name, text(times));
}
for (let index = 0; index < cases; index += 1)
  await measure(`case ${index}`, hostileFile(createCaseRandom(seed, index)));
session.disconnect();
