import { spawn } from 'node:child_process';

const environment = {
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
};

/** The bytes that a git command prints; `null` where it fails. */
export async function tryGitBytes(
  directory: string,
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<Buffer | null> {
  const { code, out } = await run(directory, args, input);
  return code === 0 ? out : null;
}

/** The bytes that a git command prints; it must succeed. */
export async function gitBytes(
  directory: string,
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<Buffer> {
  const { code, out, err } = await run(directory, args, input);
  if (code !== 0) throw new Error(`git ${args.join(' ')} ended with ${code}: ${err}`);
  return out;
}

/** The text that a git command prints, trimmed. */
export async function gitText(
  directory: string,
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<string> {
  return (await gitBytes(directory, args, input)).toString('utf8').trim();
}

function run(
  directory: string,
  args: readonly string[],
  input: string | Uint8Array,
): Promise<{ readonly code: number; readonly out: Buffer; readonly err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd: directory, env: environment });
    const out: Buffer[] = [];
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')));
    // A command that reads nothing may have closed its stdin already.
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, out: Buffer.concat(out), err }));
    child.stdin.end(input);
  });
}
