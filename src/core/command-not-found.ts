/** How shells and the usual starters say that there is no such command; the name is in the group. */
const sayings: readonly RegExp[] = [
  // timeout, nohup, nice
  /^[^:]*: failed to run command ['‘](?<name>.+?)['’]/,
  // dash `sh: 1: foo: not found`, busybox `sh: foo: not found`, and for a script in a file `/…/script: 3: foo: not found`
  /^[^:]*:(?: (?:line )?\d+:)?(?: exec:)? (?<name>.+?): (?:command )?not found$/,
  // bash for a path `sh: line 1: ./foo: No such file or directory`; env `env: 'foo': No such file or directory`
  /^[^:]*:(?: (?:line )?\d+:)?(?: exec:)? ['‘]?(?<name>.+?)['’]?: No such file or directory$/,
];

/** The command that was not found, read from the end of stderr of a process that ended with 127. */
export function commandNotFound(stderr: string): string | null {
  for (const line of stderr.trimEnd().split(/\r?\n/).slice(-20).toReversed()) {
    for (const saying of sayings) {
      const name = saying.exec(line)?.groups?.['name'];
      if (name !== undefined) return name;
    }
  }
  return null;
}
