import type {
  CommandTask,
  Condition,
  PipelineTask,
  Project,
  Reference,
  Retries,
  Task,
  TaskReference,
  Timeout,
} from '../../src/core/project.ts';

type Said = {
  readonly needs?: readonly string[];
  readonly if?: Condition;
  readonly env?: { readonly [name: string]: string };
  readonly line?: number;
};

type Given = Said & { readonly secrets?: { readonly [name: string]: string }; readonly timeout?: Timeout };

const noTimeout: Timeout = { run: null, queue: null };

export const noRetries: Retries = { max: 0, on: [], backoff: 10 };

export function named(name: string, line = 1): Reference {
  return { name, position: { line, column: 1 } };
}

function declare(name: string, said: Said) {
  return {
    ...named(name, said.line),
    needs: said.needs?.map((need) => named(need, said.line)) ?? null,
    if: said.if ?? 'success',
    env: Object.entries(said.env ?? {}).map(([key, value]) => ({ name: key, value })),
  };
}

function secretsOf(given: Given) {
  return Object.entries(given.secrets ?? {}).map(([key, secret]) => ({ name: key, secret }));
}

/** A task as the parser would give it, with only what a test cares about. */
export function command(
  name: string,
  given: Given & { readonly script?: string; readonly retries?: Retries } = {},
): CommandTask {
  return {
    ...declare(name, given),
    kind: 'command',
    script: given.script ?? `run ${name}`,
    secrets: secretsOf(given),
    resources: { cpu: null, memory: null, storage: null, gpus: null, vram: null },
    image: null,
    timeout: given.timeout ?? noTimeout,
    retries: given.retries ?? noRetries,
    artifacts: null,
  };
}

export function pipeline(name: string, tasks: readonly Task[], given: Given = {}): PipelineTask {
  const timeout = given.timeout ?? noTimeout;
  return { ...declare(name, given), kind: 'pipeline', tasks, secrets: secretsOf(given), timeout };
}

export function reference(name: string, taskref: string, said: Said = {}): TaskReference {
  return { ...declare(name, said), kind: 'taskref', taskref: named(taskref, said.line) };
}

export function projectOf(tasks: readonly Task[], rest: Partial<Project> = {}): Project {
  return { name: 'spam', tasks, on: null, concurrency: null, recurringTasks: [], ...rest };
}
