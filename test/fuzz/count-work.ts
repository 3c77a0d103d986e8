import { Session } from 'node:inspector/promises';
import { hostileFile } from './mutated-file.ts';
import { createCaseRandom } from '../random.ts';
import { growingDeliveries } from './growing-deliveries.ts';
import { hostileDelivery } from './mutated-delivery.ts';
import { growing } from './wide-and-deep.ts';

/**
 * A process of its own, which counts what reading a file or a delivery does: how often each block of the code in
 * `src/core`, `src/github`, of the YAML parser and of zod is entered, by V8's own counters. Nothing in the code knows of it, and it is the same on a slow
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
const { narrowDelivery } = await import('../../src/github/payload.ts');

async function count(): Promise<number> {
  // Counters begin at 0 again with each look.
  const { result } = await session.post('Profiler.takePreciseCoverage');
  let entered = 0;
  for (const { url, functions } of result) {
    // What zod makes of a shape is compiled as it goes, and has no address.
    if (url !== '' && !/\/src\/(core|github)\/|\/node_modules\/(yaml|zod)\//.test(url)) continue;
    for (const { ranges } of functions) for (const range of ranges) entered += range.count;
  }
  return entered;
}

async function measure(name: string, content: string | Uint8Array, read: () => unknown): Promise<void> {
  await count();
  read();
  const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
  console.log(JSON.stringify({ name, bytes, work: await count() }));
}

const measureFile = (name: string, content: string | Uint8Array): Promise<void> =>
  measure(name, content, () => parseProjectFile(content));
const measureDelivery = (name: string, { event, body }: ReturnType<typeof hostileDelivery>): Promise<void> =>
  measure(`delivery: ${name}`, body, () => narrowDelivery(event, body));

const times = [200, 800, 3_200].slice(0, sizes);
for (const [name, text] of Object.entries(growing))
  for (const count of times) await measureFile(name, text(count));
for (const [name, delivery] of Object.entries(growingDeliveries)) {
  // The first time code of zod is made, which costs as much however long the delivery is.
  narrowDelivery(delivery(1).event, delivery(1).body);
  for (const count of times) await measureDelivery(name, delivery(count));
}
for (let index = 0; index < cases; index += 1) {
  const random = createCaseRandom(seed, index);
  await measureFile(`case ${index}`, hostileFile(random));
  await measureDelivery(`case ${index}`, hostileDelivery(random));
}
session.disconnect();
