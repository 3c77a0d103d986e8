import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = new URL('../', import.meta.url);

test('every proof that the page of failures names is there', async () => {
  const page = await readFile(new URL('docs/failures.md', root), 'utf8');
  const named = [
    ...new Set([...page.matchAll(/`((?:test|bench)\/[\w./-]*)`/g)].map(([, path]) => path ?? '')),
  ];
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(fileURLToPath(new URL(path, root))))).toEqual([]);
});
