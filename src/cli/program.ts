import { Command, InvalidArgumentError, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { runStates } from '../core/run.ts';
import { exitCodes, type ExitCode } from './fault.ts';
import type { Terminal } from './terminal.ts';

const startHelp = `
The first start also makes the sample repository samples/weather, pushes it, and shows its run. Later starts keep
everything that is there. Ctrl-C stops in order, a second one at once.

Surroundings:
  PORT             port of the server on 127.0.0.1 (8080)
  AME_DATA         data directory (ame below the XDG data home; as root /var/lib/ame)
  DATABASE_URL     a Postgres 15 or newer, instead of the embedded one in the data directory
  AME_LOCAL_SLOTS  tasks at once (the number of cores)
  AME_LOG_LEVEL    debug shows the server's own log`;

const codesHelp = `
A run is <project>#<number>, such as weather#3; a bare number is enough where it is unique or inside a clone.
AME_URL and AME_TOKEN name a server elsewhere; without them it is that of this machine's data directory.

Exit codes: 0 good, 1 AME or the world failed, 2 the input or the file is wrong, 3 the run ended badly.`;

/**
 * Every command with its options. What a command needs is loaded only when it runs, so that each starts fast.
 * `exitCode` is that of the command that ran.
 */
export function createProgram(terminal: Terminal): { readonly program: Command; readonly exitCode: () => ExitCode } {
  let code: ExitCode = exitCodes.good;
  const end = async (result: Promise<ExitCode>): Promise<void> => {
    code = await result;
  };
  const program = new Command('ame');
  program
    .description('Turns a Git repository into a machine-learning pipeline: push, and the commit gets its answer.')
    .version(manifest.version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => write(`ame: ${text.replace(/^error: /, '')}`),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', codesHelp);

  program
    .command('start')
    .description('start AME on this machine, with a sample on the first start (what npm start runs)')
    .option('--no-sample', 'make no sample repository')
    .addHelpText('after', startHelp)
    .action(async (options: { sample: boolean }) => end((await import('./commands/start.ts')).start(terminal, options)));

  program
    .command('serve')
    .description('run the server alone; its log is JSON on stdout')
    .action(async () => end((await import('./commands/serve.ts')).serve(terminal)));

  program
    .command('check')
    .description('check an ame.yaml as the server does')
    .argument('[path]', 'a folder or a file', '.')
    .option('--json', 'print {"valid", "problems"}')
    .action(async (path: string, options: { json?: true }) => end((await import('./commands/check.ts')).check(terminal, path, options)));

  const runs = program
    .command('runs')
    .description('list runs, newest first')
    .option('-p, --project <name>', 'of this project')
    .option('-t, --task <name>', 'of this task')
    .addOption(new Option('-s, --state <state>', 'in this state').choices(runStates))
    .option('-r, --ref <ref>', 'of this branch or tag')
    .option('-c, --commit <commit>', 'of this commit')
    .option('-n, --limit <count>', 'at most so many', count, 20)
    .option('--json', 'print an array of runs')
    .action(async (options: import('./commands/runs.ts').RunsOptions) => end((await import('./commands/runs.ts')).runs(terminal, options)));

  runs
    .command('show')
    .description('show one run: its tasks, and why it ended as it did')
    .argument('<run>')
    .option('--json', 'print the run with plan, attempts, transitions and checks')
    .action(async (run: string, options: { json?: true }) => end((await import('./commands/show-run.ts')).showRun(terminal, run, options)));

  program
    .command('logs')
    .description('print the log of a run, or of one of its tasks')
    .argument('<run>')
    .argument('[task]')
    .option('-f, --follow', 'go on until the run has ended')
    .option('--attempt <number>', 'of this try of the task; without it the last one', count)
    .action(async (run: string, task: string | undefined, options: import('./commands/logs.ts').LogsOptions) =>
      end((await import('./commands/logs.ts')).logs(terminal, run, task, options)),
    );

  return { program, exitCode: () => code };
}

function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}
