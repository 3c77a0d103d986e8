import { CommanderError } from 'commander';
import { ConfigError } from '../config.ts';
import { visibleText } from '../core/escape.ts';
import { CliFault, exitCodes, type ExitCode } from './fault.ts';
import { createProgram } from './program.ts';
import { createTerminal, note, processSurroundings, type Surroundings } from './terminal.ts';

/** The whole of `ame` as a process: runs the command of `argv` and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const surroundings = processSurroundings();
  const serves = argv[2] === 'start' || argv[2] === 'serve';
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      // Whoever reads may stop before the end, as `head` does, and a terminal may be closed. A server still has to
      // stop in order then.
      if (!serves) process.exit();
    });
  }
  process.exitCode = await runCommand(argv.slice(2), surroundings);
}

/** Runs one command to its end. Whatever goes wrong becomes one clear line on stderr, with what belongs to it indented below, and an exit code. */
export async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  try {
    const terminal = createTerminal(surroundings);
    const { program, exitCode } = createProgram(terminal);
    await program.parseAsync([...args], { from: 'user' });
    return exitCode();
  } catch (error) {
    return explain(error, surroundings);
  }
}

function explain(error: unknown, { stderr, env }: Surroundings): ExitCode {
  if (error instanceof CommanderError) {
    // It has said already what there was to say.
    return error.exitCode === 0 ? exitCodes.good : exitCodes.input;
  }
  const message = error instanceof Error ? error.message : String(error);
  // What follows the first line belongs to it, and is told from other lines by its place.
  const lines = visibleText(message)
    .trim()
    .replaceAll(/\n(?=\S)/g, '\n  ');
  note({ stderr }, `ame: ${lines || 'failed without a word'}`);
  if (env['AME_LOG_LEVEL'] === 'debug' && error instanceof Error) note({ stderr }, error.stack);
  if (error instanceof CliFault) return error.exitCode;
  return error instanceof ConfigError ? exitCodes.input : exitCodes.failure;
}
