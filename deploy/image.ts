// Builds the container image with docker, podman or buildah, whichever is there. Every option is a flag or a variable:
//
//     --base       AME_IMAGE_BASE       image to build on (default debian:12-slim)
//     --tag        AME_IMAGE_TAG        name of the result (default ame:<version>)
//     --push       AME_IMAGE_PUSH       name in a registry to send it to
//     --insecure   AME_IMAGE_INSECURE   1: that registry speaks plain HTTP
//     --archive    AME_IMAGE_ARCHIVE    file to write it to, for `docker load`, `kind load` or `ctr images import`
//     --builder    AME_IMAGE_BUILDER    docker, podman or buildah (default: the first that answers)
//     --arch       AME_IMAGE_ARCH       x64 or arm64 (default: this machine's)
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { archiveArguments, buildArguments, builders, findBuilder, pushCommands } from './image/builder.ts';
import { layOutContext } from './image/context.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    base: { type: 'string', default: process.env['AME_IMAGE_BASE'] ?? '' },
    tag: { type: 'string', default: process.env['AME_IMAGE_TAG'] ?? `ame:${version()}` },
    push: { type: 'string', default: process.env['AME_IMAGE_PUSH'] ?? '' },
    insecure: { type: 'boolean', default: process.env['AME_IMAGE_INSECURE'] === '1' },
    archive: { type: 'string', default: process.env['AME_IMAGE_ARCHIVE'] ?? '' },
    builder: { type: 'string', default: process.env['AME_IMAGE_BUILDER'] ?? '' },
    arch: { type: 'string', default: process.env['AME_IMAGE_ARCH'] ?? process.arch },
  },
});

const builder = builders.find((each) => each === flags.builder) ?? findBuilder();
if (builder === undefined) {
  console.error(
    'No builder of images answers. Install and start docker, podman or buildah, or name one with --builder.',
  );
  process.exit(1);
}
const run = (args: readonly string[]): void => {
  console.log(`${builder} ${args.join(' ')}`);
  const { status } = spawnSync(builder, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${builder} ${args[0]} failed`);
};

const context = mkdtempSync(join(tmpdir(), 'ame-image-'));
try {
  layOutContext(root, context, flags.arch);
  const containerfile = join(root, 'deploy/Containerfile');
  run(buildArguments({ containerfile, context, tag: flags.tag, base: flags.base }));
  if (flags.push !== '')
    for (const args of pushCommands(builder, flags.tag, flags.push, flags.insecure)) run(args);
  if (flags.archive !== '') run(archiveArguments(builder, flags.tag, flags.archive));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  rmSync(context, { recursive: true, force: true });
}

function version(): string {
  const described: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (
    typeof described === 'object' &&
    described !== null &&
    'version' in described &&
    typeof described.version === 'string'
  )
    return described.version;
  throw new Error('package.json names no version');
}
