/** Every way in which an attempt can end. */
export const outcomeClasses = [
  'succeeded',
  'exit',
  'command_not_found',
  'not_executable',
  'signal',
  'out_of_memory',
  'timeout',
  'queue_timeout',
  'deadline',
  'cancelled',
  'superseded',
  'conflict',
  'secret_missing',
  'content_refused',
  'restore_failed',
  'store_failed',
  'start_failed',
  'lost',
  'skipped',
] as const;
export type OutcomeClass = (typeof outcomeClasses)[number];

/** Where to look first. `null`: nothing went wrong. */
export type Blame = 'user' | 'resources' | 'cluster' | 'us' | null;

/** Who may have it tried again: the file's `retries`, AME by itself, or nobody. */
export type RetryRule = 'user' | 'infrastructure' | 'never';

export type Outcome = {
  /** The state of the attempt. */
  readonly state: 'succeeded' | 'failed' | 'cancelled' | 'skipped';
  readonly label: string;
  /** A whole sentence for people, for where nothing more exact is known. */
  readonly message: string;
  readonly blame: Blame;
  readonly retry: RetryRule;
};

function failed(label: string, blame: Blame, retry: RetryRule, message: string): Outcome {
  return { state: 'failed', label, message, blame, retry };
}

export const outcomes: { readonly [name in OutcomeClass]: Outcome } = {
  succeeded: {
    state: 'succeeded',
    label: 'succeeded',
    message: 'The command ended with 0.',
    blame: null,
    retry: 'never',
  },
  exit: failed('exit code', 'user', 'user', 'The command ended with an exit code other than 0.'),
  command_not_found: failed(
    'command not found',
    'user',
    'user',
    'The command ended with 127: the shell found no command of some name. Is it installed, and is its name right?',
  ),
  not_executable: failed(
    'not executable',
    'user',
    'user',
    'The command ended with 126: a file was found, but could not be run. Is it executable (chmod +x)?',
  ),
  signal: failed('signal', 'user', 'user', 'The command was ended by a signal.'),
  out_of_memory: failed(
    'out of memory',
    'resources',
    'user',
    'The command needed more memory than it may use. Raise the ceiling in `resources.memory`.',
  ),
  timeout: failed('timeout', 'user', 'user', 'The command ran longer than its `timeout`.'),
  queue_timeout: failed(
    'queue timeout',
    'resources',
    'never',
    'It waited longer than `timeout.queue` for a place to run.',
  ),
  deadline: failed('pipeline timeout', 'user', 'never', 'The pipeline took longer than its `timeout`.'),
  cancelled: {
    state: 'cancelled',
    label: 'cancelled',
    message: 'Someone asked for it to end.',
    blame: null,
    retry: 'never',
  },
  superseded: {
    state: 'cancelled',
    label: 'superseded',
    message: 'A newer run of the same group took its place.',
    blame: null,
    retry: 'never',
  },
  conflict: failed('conflict', 'user', 'never', 'Two predecessors changed the same file differently.'),
  secret_missing: failed('secret missing', 'user', 'never', 'A secret that it asks for has not been set.'),
  content_refused: failed(
    'content refused',
    'user',
    'never',
    'It left something behind that cannot be kept.',
  ),
  restore_failed: failed('restore failed', 'us', 'infrastructure', 'Its workspace could not be prepared.'),
  store_failed: failed('store failed', 'us', 'infrastructure', 'What it left behind could not be stored.'),
  start_failed: failed('start failed', 'us', 'infrastructure', 'It could not be started.'),
  lost: failed(
    'lost',
    'cluster',
    'infrastructure',
    'It vanished without a word: the machine that ran it stopped or restarted.',
  ),
  skipped: {
    state: 'skipped',
    label: 'skipped',
    message: 'Its `if` did not hold.',
    blame: null,
    retry: 'never',
  },
};

/** What became of an attempt. `exitCode` is a shell's: 128 and more for a signal. */
export type Classification = {
  readonly class: OutcomeClass;
  readonly reason: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
};
