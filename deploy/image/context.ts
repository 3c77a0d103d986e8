import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The Node binary that `npm install` brought for Linux on this kind of processor. */
export function nodeBinary(root: string, arch: string): string {
  const path = join(root, 'node_modules', `node-linux-${arch}`, 'bin', 'node');
  if (!existsSync(path))
    throw new Error(
      `${path} is missing. Run: npm install --include=optional --os=linux --cpu=${arch === 'x64' ? 'x64' : 'arm64'}`,
    );
  return path;
}

/** Lays out what the Containerfile copies: `node` and `app/`. The bundle is made anew, apart from `dist/`. */
export function layOutContext(root: string, context: string, arch: string): void {
  const app = join(context, 'app');
  mkdirSync(app, { recursive: true });
  execFileSync(process.execPath, [join(root, 'deploy/build.mjs'), join(app, 'dist')], { stdio: 'inherit' });
  cpSync(join(root, 'drizzle'), join(app, 'drizzle'), { recursive: true });
  for (const name of ['package.json', 'LICENSE']) copyFileSync(join(root, name), join(app, name));
  copyFileSync(nodeBinary(root, arch), join(context, 'node'));
  openToAll(context);
  for (const program of ['node', 'app/dist/ame.mjs']) chmodSync(join(context, program), 0o755);
}

/** The image's user is not the one who builds, whose umask may close files to others. */
function openToAll(path: string): void {
  const directory = statSync(path).isDirectory();
  chmodSync(path, directory ? 0o755 : 0o644);
  if (directory) for (const name of readdirSync(path)) openToAll(join(path, name));
}
