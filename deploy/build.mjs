// Builds the published package: Node strips no types below node_modules, so `ame` is bundled into dist/.
//
//     dist/ame.mjs            the launcher, which a Node that is too old can still read
//     dist/main-*.mjs, ...    everything else, loaded when it is needed
//     dist/sample/            the files of the sample project, as they are
//     dist/*-worker.mjs       what runs in a thread of its own, found by its name beside the rest
//     dist/agent.mjs          the agent in a pod, in one file: it starts thousands of times, and beside what users run
//
// The Postgres and Node packages stay outside: they are programs, found below node_modules when they are started.
import { cpSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Another place is named by the image, which is built beside a package that others may be reading.
const out = resolve(root, process.argv[2] ?? 'dist');
const workers = globSync('src/**/*-worker.ts', { cwd: root });

rmSync(out, { recursive: true, force: true });
const together = {
  absWorkingDir: root,
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  metafile: true,
  logLevel: 'warning',
  // `pg` asks for its native twin and for Cloudflare's sockets where they exist; neither is wanted here.
  external: ['pg-native', 'cloudflare:sockets'],
  // What is CommonJS among the dependencies asks for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as createRequireHere } from 'node:module';\nconst require = createRequireHere(import.meta.url);",
  },
};
const server = await build({
  ...together,
  splitting: true,
  entryPoints: {
    ame: 'src/cli/launch.mjs',
    ...Object.fromEntries(workers.map((path) => [basename(path, '.ts'), path])),
  },
});
const agent = await build({ ...together, entryPoints: { agent: 'src/pod-agent.ts' } });
cpSync(join(root, 'src/sample/files'), join(out, 'sample'), {
  recursive: true,
  filter: (path) => !path.includes('__pycache__'),
});
writeFileSync(
  join(out, 'THIRD-PARTY-LICENSES.txt'),
  licences([server, agent].flatMap(({ metafile }) => Object.keys(metafile.inputs))),
);

/** The licence texts of the packages that the bundle contains: they ask to travel with their code. */
function licences(inputs) {
  const packages = new Set(
    inputs.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  return [...packages]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
      const file = readdirSync(join(root, folder)).find((each) => /^(licen[cs]e|copying)/i.test(each));
      const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim();
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}
