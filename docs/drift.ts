import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generatedPages } from './generate.ts';

/**
 * What is written twice must agree: the schema and its migrations, the catalogue and the docs, the order of the
 * migrations and their times. Prints each difference with the command that mends it; exits with 1 for any.
 */
const faults = [...(await schemaDrift()), ...(await journalDrift()), ...(await docsDrift())];
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;

/** drizzle-kit's own `check` compares snapshots with each other only, so a generation into a copy tells. */
async function schemaDrift(): Promise<readonly string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'ame-drift-'));
  try {
    const out = join(directory, 'drizzle');
    await cp('drizzle', out, { recursive: true });
    const args = ['generate', '--dialect', 'postgresql', '--schema', './src/db/schema/*.ts', '--out', out];
    await promisify(execFile)('node_modules/.bin/drizzle-kit', args);
    const before = new Set(await readdir('drizzle'));
    const fresh = (await readdir(out)).filter((file) => !before.has(file));
    return fresh.length === 0
      ? []
      : ['src/db/schema says more than drizzle/: npm run db:generate -- --name what-changed'];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The migrator passes over a migration that is older than the newest applied one, without a word. */
async function journalDrift(): Promise<readonly string[]> {
  const journal: { entries: { tag: string; when: number }[] } = JSON.parse(
    await readFile('drizzle/meta/_journal.json', 'utf8'),
  );
  const wrong = journal.entries.filter((entry, at) => entry.when <= (journal.entries[at - 1]?.when ?? 0));
  return wrong.map(
    ({ tag }) => `drizzle/${tag}.sql is not newer than the one before it, and would never be applied`,
  );
}

async function docsDrift(): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [path, text] of generatedPages()) {
    const stored = await readFile(path, 'utf8').catch(() => '');
    if (stored !== text) faults.push(`${path} is not what the code says: npm run docs`);
  }
  return faults;
}
