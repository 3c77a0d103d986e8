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
  'storage_full',
  'evicted',
  'preempted',
  'drained',
  'deleted',
  'node_lost',
  'node_out_of_memory',
  'image_missing',
  'image_refused',
  'image_unreachable',
  'image_broken',
  'no_shell',
  'unschedulable',
  'quota',
  'admission_refused',
  'bad_config',
  'agent_out_of_memory',
  'agent_failed',
  'door_unreachable',
  'skipped',
] as const;
export type OutcomeClass = (typeof outcomeClasses)[number];

/** Where to look first. `null`: nothing went wrong. */
export type Blame = 'user' | 'resources' | 'cluster' | 'us' | null;

/**
 * Who may have it tried again: the file's `retries`; AME by itself with more memory as long as there is more
 * (`memory`), three times (`infrastructure`), or without end because it only had to make room (`moved`); or nobody.
 */
export const retryRules = ['user', 'memory', 'infrastructure', 'moved', 'never'] as const;
export type RetryRule = (typeof retryRules)[number];

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
    'memory',
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
  storage_full: failed(
    'storage full',
    'resources',
    'user',
    'It wrote more than it may store. Raise `resources.storage`.',
  ),
  // Bounded, unlike a preemption: what needs more than any node has brings each of them into the same distress.
  evicted: failed(
    'evicted',
    'cluster',
    'infrastructure',
    'Its node ran short of memory or disk and sent it away.',
  ),
  preempted: failed(
    'preempted',
    'cluster',
    'moved',
    'It made room on its node for something more important.',
  ),
  drained: failed('drained', 'cluster', 'moved', 'Its node was emptied for maintenance or to save cost.'),
  // Nobody deletes what should run by accident three times, and what did may be a script that cleans up.
  deleted: failed('deleted', 'cluster', 'infrastructure', 'Someone deleted its pod or Job in the cluster.'),
  // Bounded, unlike a drain: a command may be what brings its node down.
  node_lost: failed(
    'node lost',
    'cluster',
    'infrastructure',
    'The node that it ran on does not answer any more.',
  ),
  node_out_of_memory: failed(
    'node out of memory',
    'cluster',
    'infrastructure',
    'Its node ran out of memory, although the task itself stayed within what it may use.',
  ),
  image_missing: failed(
    'image missing',
    'user',
    'never',
    'Its image does not exist. Is `image` spelt right?',
  ),
  image_refused: failed(
    'image refused',
    'user',
    'never',
    'The registry did not hand out its image: it is private, or does not exist.',
  ),
  image_unreachable: failed(
    'image unreachable',
    'cluster',
    'infrastructure',
    'The registry of its image could not be reached.',
  ),
  image_broken: failed(
    'image broken',
    'user',
    'never',
    'Its image cannot be run here. Is it made for the machines of this cluster?',
  ),
  no_shell: failed('no shell', 'user', 'never', 'Its image has no `sh`, which every command is run by.'),
  unschedulable: failed(
    'unschedulable',
    'resources',
    'never',
    'No node of the cluster can ever hold what it asks for in `resources`.',
  ),
  quota: failed('quota', 'resources', 'never', 'It asks for more than the quota of the namespace grants.'),
  admission_refused: failed(
    'admission refused',
    'cluster',
    'never',
    'A rule of the cluster refuses its pod.',
  ),
  bad_config: failed(
    'bad configuration',
    'cluster',
    'infrastructure',
    'Its container could not be made: something that it refers to is not there.',
  ),
  agent_out_of_memory: failed(
    'agent out of memory',
    'us',
    'infrastructure',
    "AME's own container beside the task ran out of memory.",
  ),
  agent_failed: failed('agent failed', 'us', 'infrastructure', "AME's own container beside the task failed."),
  door_unreachable: failed(
    'door unreachable',
    'cluster',
    'infrastructure',
    "Its pod could not reach AME's agent door.",
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
