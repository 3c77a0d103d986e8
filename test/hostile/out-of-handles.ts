import { closeSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../src/core/snapshot.ts';
import { openDirectoryStorage } from '../../src/storage/directory.ts';

/** Takes all the file handles that the process may have, and says what a write does then, and afterwards. */
const [root = ''] = process.argv.slice(2);
const store = await openDirectoryStorage(root);
const bytes = Buffer.from('content');
const digest = digestOf(bytes);
const write = (): Promise<number> => store.write(digest, new Blob([bytes]).stream());
const incoming = join(root, 'incoming');

const taken: number[] = [];
try {
  for (;;) taken.push(openSync(import.meta.filename, 'r'));
} catch {
  // That was the last one.
}
let refused = 'done';
try {
  await write();
} catch (error) {
  refused = error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
for (const handle of taken) closeSync(handle);
const there = await store.has(digest);
const left = await readdir(incoming);
await write();
console.log(JSON.stringify({ refused, there, left, after: await store.has(digest) }));
