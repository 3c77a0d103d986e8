/**
 * What a git process sees of this machine: a search path and the settings below, nothing that was inherited.
 * A `GIT_DIR` or `GIT_CONFIG_*` of whoever started the server (git itself sets them in hooks) would point
 * every command somewhere else.
 */

// One process runs one git. Passing its search path through every call that names a directory would tell
// the readers of those calls nothing.
let searchPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

/** Says once, at the start, where `git` is looked for: a PATH. */
export function setGitSearchPath(path: string): void {
  searchPath = path;
}

export type GitSetting = readonly [key: string, value: string];

const settings: readonly GitSetting[] = [
  // Nothing that lies in a repository is ever run.
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.attributesFile', '/dev/null'],
  // Reading a repository never makes git call another host.
  ['protocol.allow', 'never'],
  // What a run refers to must stay; see host.ts on what keeps it.
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['receive.autogc', 'false'],
];

/** The whole environment of one git process that works on the bare repository in `directory`, or on none. */
export function gitEnvironment(
  directory: string | null,
  extra: { readonly settings?: readonly GitSetting[]; readonly protocol?: string | null } = {},
): Record<string, string> {
  const env: Record<string, string> = {
    PATH: searchPath,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    // A refs/replace would show another history than the one that was pushed.
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    // Paths are names, never patterns.
    GIT_LITERAL_PATHSPECS: '1',
  };
  const all: GitSetting[] = [...settings, ...(extra.settings ?? [])];
  if (directory !== null) {
    // Named outright, so that git never walks up into a repository around it.
    env['GIT_DIR'] = directory;
    // The data directory may belong to another user than the one the server runs as, such as in a container.
    all.push(['safe.directory', directory]);
  }
  if (extra.protocol) env['GIT_PROTOCOL'] = extra.protocol;
  env['GIT_CONFIG_COUNT'] = String(all.length);
  all.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return env;
}
