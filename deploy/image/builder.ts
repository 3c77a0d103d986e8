import { spawnSync } from 'node:child_process';

/** Programs that build images, in the order in which they are looked for. */
export const builders = ['docker', 'podman', 'buildah'] as const;
export type Builder = (typeof builders)[number];

export type Build = {
  readonly containerfile: string;
  /** Directory of what the Containerfile copies. */
  readonly context: string;
  readonly tag: string;
  /** Empty: the Containerfile's own. */
  readonly base: string;
};

/** The first builder that answers: docker is often installed where no daemon runs. */
export function findBuilder(): Builder | undefined {
  const question: Readonly<Record<Builder, readonly string[]>> = {
    docker: ['info'],
    podman: ['version'],
    buildah: ['version'],
  };
  return builders.find((each) => spawnSync(each, question[each], { stdio: 'ignore' }).status === 0);
}

/** Arguments that build. Buildah's `--layers` is not asked for: it fails on a base without a history. */
export function buildArguments(build: Build): readonly string[] {
  return [
    'build',
    ...(build.base === '' ? [] : ['--build-arg', `BASE=${build.base}`]),
    '--file',
    build.containerfile,
    '--tag',
    build.tag,
    build.context,
  ];
}

/** Commands that send the image to a registry; `insecure` is plain HTTP, which docker allows by its own configuration. */
export function pushCommands(
  builder: Builder,
  tag: string,
  to: string,
  insecure: boolean,
): readonly (readonly string[])[] {
  if (builder === 'docker')
    return [
      ['tag', tag, to],
      ['push', to],
    ];
  return [['push', ...(insecure ? ['--tls-verify=false'] : []), tag, `docker://${to}`]];
}

/** Arguments that write the image to a file that `docker load` and `ctr images import` read. */
export function archiveArguments(builder: Builder, tag: string, file: string): readonly string[] {
  if (builder === 'docker') return ['save', '--output', file, tag];
  // Buildah puts `localhost/` before a name without a registry; the archive carries the name that was asked for.
  return ['push', tag, `docker-archive:${file}:${tag}`];
}
