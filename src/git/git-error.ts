/** git ended badly. The message is the first line of what git said. */
export class GitError extends Error {
  override name = 'GitError';
  /** `null` where git could not be started, or was ended by a signal. */
  readonly exitCode: number | null;
  constructor(message: string, exitCode: number | null, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** An error out of what git wrote on stderr: its first line that says something went wrong, or its first line. */
export function gitError(command: string, stderr: string, exitCode: number | null): GitError {
  const lines = stderr.split('\n').map((line) => line.trim());
  const said = lines.find((line) => /^(fatal|error): /.test(line)) ?? lines.find((line) => line !== '');
  const text = said ?? (exitCode === null ? 'ended by a signal' : `ended with exit code ${exitCode}`);
  return new GitError(`git ${command}: ${text.slice(0, 500)}`, exitCode);
}

/** Whether a program, a file or a connection could not be opened because the process has no handles left. */
export function isOutOfHandles(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && (at.code === 'EMFILE' || at.code === 'ENFILE')) return true;
  return false;
}
