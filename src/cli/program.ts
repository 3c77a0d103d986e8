import { Argument, Command, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { runStates } from '../core/run.ts';
import type { ArtifactsOptions } from './commands/artifacts.ts';
import type { LogsOptions } from './commands/logs.ts';
import type { PlanOptions } from './commands/plan.ts';
import type { RunOptions } from './commands/run.ts';
import type { RunsOptions } from './commands/runs.ts';
import type { ScheduleOptions } from './commands/schedule.ts';
import type { SecretOptions } from './commands/secret.ts';
import { count, upTo } from './count.ts';
import { exitCodes, type ExitCode } from './fault.ts';
import { queueNames, type QueueName } from './queue-names.ts';
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

type Register = (
  program: Command,
  terminal: Terminal,
  end: (result: Promise<ExitCode>) => Promise<void>,
) => void;

/**
 * Every command with its options. What a command needs is loaded only when it runs, so that each starts fast.
 * `exitCode` is that of the command that ran.
 */
export function createProgram(terminal: Terminal): {
  readonly program: Command;
  readonly exitCode: () => ExitCode;
} {
  let code: ExitCode = exitCodes.good;
  const end = async (result: Promise<ExitCode>): Promise<void> => {
    code = await result;
  };
  const program = new Command('ame')
    .description(
      'Turns a Git repository into a machine-learning pipeline: push, and the commit gets its answer.',
    )
    .version(manifest.version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) =>
        write(
          `ame: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' ')} (ame --help)\n`,
        ),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', codesHelp);
  for (const register of [addServer, addFile, addRuns, addSchedules, addAnswers, addRest])
    register(program, terminal, end);
  return { program, exitCode: () => code };
}

type Json = { readonly json?: true };

const addServer: Register = (program, terminal, end) => {
  program
    .command('start')
    .description('start AME on this machine, on the first start with a sample (npm start)')
    .option('--no-sample', 'make no sample repository')
    .addHelpText('after', startHelp)
    .action(async (options: { sample: boolean }) =>
      end((await import('./commands/start.ts')).start(terminal, options)),
    );
  program
    .command('serve')
    .description('run the server alone; its log is JSON on stdout')
    .action(async () => end((await import('./commands/serve.ts')).serve(terminal)));
  program
    .command('doctor')
    .description('look at what the server needs: database, storage, keys, GitHub, cluster')
    .option('--json', 'findings as JSON')
    .action(async (options: Json) => end((await import('./commands/doctor.ts')).doctor(terminal, options)));
};

const addFile: Register = (program, terminal, end) => {
  program
    .command('init')
    .description('write an ame.yaml of four lines, and add the remote "ame"')
    .option('--remote', 'add only the remote')
    .action(async (options: { remote?: true }) =>
      end((await import('./commands/init.ts')).init(terminal, options)),
    );
  program
    .command('check')
    .description('check an ame.yaml as the server does')
    .argument('[path]', 'a folder or a file', '.')
    .option('--json', 'print {"valid", "problems"}')
    .action(async (path: string, options: Json) =>
      end((await import('./commands/check.ts')).check(terminal, path, options)),
    );
  program
    .command('plan')
    .description('show the tasks of a plan in their order, and why each comes after another')
    .argument('[task]', 'without it the one that a push runs')
    .option('-f, --file <path>', 'a folder or a file', '.')
    .option('--json', 'print the plan with its digest and edges')
    .action(async (task: string | undefined, options: PlanOptions) =>
      end((await import('./commands/plan.ts')).plan(terminal, task, options)),
    );
};

const addRuns: Register = (program, terminal, end) => {
  program
    .command('run')
    .description('run a task of a commit that the host has, and follow it')
    .argument('[task]', 'without it the one that a push runs')
    .option('-r, --ref <ref>', 'a branch, tag or commit; without it the default branch')
    .option('-p, --project <name>', 'without it the one of the ame.yaml here')
    .option('--no-follow', 'do not wait for its end')
    .option('--json', 'print the run')
    .action(async (task: string | undefined, options: RunOptions) =>
      end((await import('./commands/run.ts')).run(terminal, task, options)),
    );
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
    .action(async (options: RunsOptions) =>
      end((await import('./commands/runs.ts')).runs(terminal, options)),
    );
  runs
    .command('show')
    .description('show one run: its tasks, and why it ended as it did')
    .argument('<run>')
    .option('--json', 'print the run with plan, attempts, transitions and checks')
    .action(async (run: string, options: Json) =>
      end((await import('./commands/show-run.ts')).showRun(terminal, run, options)),
    );
  program
    .command('cancel')
    .description('ask a run to end')
    .argument('<run>')
    .option('--json', 'print the run')
    .action(async (run: string, options: Json) =>
      end((await import('./commands/cancel.ts')).cancel(terminal, run, options)),
    );
  program
    .command('retry')
    .description('run again what did not succeed in a run, and follow it')
    .argument('<run>')
    .option('--no-follow', 'do not wait for its end')
    .option('--json', 'print the run')
    .action(async (run: string, options: Json & { follow: boolean }) =>
      end((await import('./commands/retry.ts')).retry(terminal, run, options)),
    );
};

const addSchedules: Register = (program, terminal, end) => {
  const commands = () => import('./commands/schedule.ts');
  const schedule = program.command('schedule').description("show and steer a project's recurring tasks");
  const one = (name: string, description: string): Command =>
    schedule
      .command(name)
      .description(description)
      .argument('<schedule>')
      .option('-p, --project <name>', 'without it the one of the ame.yaml here')
      .option('--json', 'print the answer as JSON');
  schedule
    .command('list')
    .description('list schedules with their next ticks and last runs')
    .option('-p, --project <name>', 'only of this project')
    .option('--json', 'print an array of schedules')
    .action(async (options: ScheduleOptions) => end((await commands()).listSchedules(terminal, options)));
  one('show', 'show one schedule: its next ticks, last runs, drift and missed ticks').action(
    async (name: string, options: ScheduleOptions) =>
      end((await commands()).showSchedule(terminal, name, options)),
  );
  one('next', 'show the next ticks in the time zone of the schedule')
    .option('-n, --count <count>', 'so many, at most 100', upTo(100), 5)
    .action(async (name: string, options: ScheduleOptions & { count: number }) =>
      end((await commands()).nextOfSchedule(terminal, name, options)),
    );
  one('pause', 'let it tick no more, whatever is pushed').action(
    async (name: string, options: ScheduleOptions) =>
      end((await commands()).pauseSchedule(terminal, name, options)),
  );
  one('resume', 'let it tick again, from its next time on').action(
    async (name: string, options: ScheduleOptions) =>
      end((await commands()).resumeSchedule(terminal, name, options)),
  );
  one('run-now', 'run its task now, at the commit of the default branch, and follow it')
    .option('--no-follow', 'do not wait for its end')
    .action(async (name: string, options: ScheduleOptions & { follow: boolean }) =>
      end((await commands()).runScheduleNow(terminal, name, options)),
    );
};

const addAnswers: Register = (program, terminal, end) => {
  program
    .command('logs')
    .description('print the log of a run, or of one of its tasks')
    .argument('<run>')
    .argument('[task]')
    .option('-f, --follow', 'go on until the run has ended')
    .option('--attempt <number>', 'of this try of the task; without it the last one', count)
    .action(async (run: string, task: string | undefined, options: LogsOptions) =>
      end((await import('./commands/logs.ts')).logs(terminal, run, task, options)),
    );
  program
    .command('artifacts')
    .description('list what the tasks of a run left, or get it')
    .argument('<run>')
    .option('-g, --get <folder>', 'write the files into this folder')
    .option('-t, --task <name>', 'only of this task')
    .option('--json', 'print an array of artifacts')
    .action(async (run: string, options: ArtifactsOptions) =>
      end((await import('./commands/artifacts.ts')).artifacts(terminal, run, options)),
    );
  program
    .command('why')
    .description('say why something ran or did not: the rule and the line of the file')
    .argument('[what]', 'a run, a commit or a delivery; without it the latest deliveries')
    .option('--json', 'print decisions and parked rows')
    .action(async (what: string | undefined, options: Json) =>
      end((await import('./commands/why.ts')).why(terminal, what, options)),
    );
};

const addRest: Register = (program, terminal, end) => {
  const secret = program.command('secret').description("set, list and delete a project's secrets");
  secret
    .command('set')
    .description('set a secret; its value is read from stdin, or typed unseen')
    .argument('<name>')
    .option('-p, --project <name>', 'without it the one of the ame.yaml here')
    .action(async (name: string, options: SecretOptions) =>
      end((await import('./commands/secret.ts')).setSecret(terminal, name, options)),
    );
  secret
    .command('list')
    .description('list the names of secrets')
    .option('-p, --project <name>', 'without it the one of the ame.yaml here')
    .option('--json', 'print an array of names')
    .action(async (options: SecretOptions) =>
      end((await import('./commands/secret.ts')).listSecrets(terminal, options)),
    );
  secret
    .command('delete')
    .description('delete a secret')
    .argument('<name>')
    .option('-p, --project <name>', 'without it the one of the ame.yaml here')
    .action(async (name: string, options: SecretOptions) =>
      end((await import('./commands/secret.ts')).deleteSecret(terminal, name, options)),
    );
  const github = program
    .command('github')
    .description('show the GitHub App, who installed it, and what was found there')
    .option('--json', 'print app, installations and repositories')
    .action(async (options: Json) => end((await import('./commands/github.ts')).github(terminal, options)));
  github
    .command('check')
    .description('say what is wrong with its address, clock, permissions, events or secret')
    .option('--json', 'print {"ok", "findings"}')
    .action(async (options: Json) =>
      end((await import('./commands/github-check.ts')).githubCheck(terminal, options)),
    );
  program
    .command('release')
    .description('let a row that failed too often be tried again; ame why lists them')
    .addArgument(new Argument('<queue>', 'where the row waits').choices(queueNames))
    .argument('<id>')
    .action(async (queue: QueueName, id: string) =>
      end((await import('./commands/release.ts')).release(terminal, queue, id)),
    );
};
