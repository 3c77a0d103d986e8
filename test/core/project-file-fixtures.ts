import { readdirSync, readFileSync } from 'node:fs';
import type { Problem } from '../../src/core/problems.ts';
import type { Filter, Project, Reference, Task } from '../../src/core/project.ts';

const root = new URL('../../fixtures/projects/', import.meta.url);

export type Fixture = {
  readonly kind: 'valid' | 'warning' | 'invalid';
  readonly name: string;
  readonly content: Uint8Array;
};
export type Expected = {
  readonly problems: readonly Pick<Problem, 'code' | 'severity' | 'line' | 'column'>[];
  readonly project?: readonly string[];
};

/** Every fixture of a kind, by name. */
export function fixtures(kind: Fixture['kind']): readonly Fixture[] {
  return readdirSync(new URL(`${kind}/`, root))
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => ({
      kind,
      name: file.slice(0, -'.yaml'.length),
      content: readFileSync(new URL(`${kind}/${file}`, root)),
    }));
}

export function allFixtures(): readonly Fixture[] {
  return [...fixtures('valid'), ...fixtures('warning'), ...fixtures('invalid')];
}

/** What stands beside a fixture as its expected outcome. */
export function expected({ kind, name }: Fixture): Expected {
  return JSON.parse(readFileSync(new URL(`${kind}/${name}.expected.json`, root), 'utf8')) as Expected;
}

/** An outcome in the form in which it is kept beside a fixture. */
export function outcome({
  project,
  problems,
}: {
  project: Project | null;
  problems: readonly Problem[];
}): Expected {
  const short = problems.map(({ code, severity, line, column }) => ({ code, severity, line, column }));
  return project === null ? { problems: short } : { problems: short, project: summary(project) };
}

/** A project as lines that show order and meaning. */
function summary(project: Project): readonly string[] {
  const { on, concurrency } = project;
  const lines = [`project ${project.name}`];
  if (on !== null)
    lines.push(`on${on.push === null ? '' : ' push'}${on.pullRequest === null ? '' : ' pull_request'}`);
  if (on?.push)
    lines.push(
      `  push ${said({ branches: globs(on.push.branches), tags: globs(on.push.tags), paths: globs(on.push.paths), run: names(on.push.run) })}`,
    );
  if (on?.pullRequest) {
    const { branches, paths, run, forks } = on.pullRequest;
    lines.push(
      `  pull_request ${said({ branches: globs(branches), paths: globs(paths), run: names(run), forks })}`,
    );
  }
  if (concurrency !== null)
    lines.push(`concurrency ${said({ group: concurrency.group, whenBusy: concurrency.whenBusy })}`);
  for (const { name, taskref, schedule, timezone, catchup, overlap } of project.recurringTasks) {
    lines.push(
      `recurring ${name}: ${taskref.name} at ${schedule} in ${timezone}, catchup ${catchup}, overlap ${overlap}`,
    );
  }
  return [...lines, ...project.tasks.flatMap((task) => taskSummary(task, ''))];
}

function taskSummary(task: Task, indent: string): readonly string[] {
  const shared = {
    needs: names(task.needs),
    if: task.if === 'success' ? null : task.if,
    env: task.env.map(({ name, value }) => `${name}=${value}`),
  };
  const head = `${indent}task ${task.name} `;
  if (task.kind === 'taskref') return [head + said({ ...shared, taskref: task.taskref.name })];
  const secrets = task.secrets.map(({ name, secret }) => `${name}=${secret}`);
  const timeout = Object.entries(task.timeout).flatMap(([what, seconds]) =>
    seconds === null ? [] : [`${what} ${seconds}s`],
  );
  if (task.kind === 'pipeline') {
    return [
      head + said({ ...shared, secrets, timeout, pipeline: task.tasks.length }),
      ...task.tasks.flatMap((inner) => taskSummary(inner, `${indent}  `)),
    ];
  }
  const { cpu, memory, storage, gpus, vram } = task.resources;
  const retries = task.retries.max === 0 ? null : JSON.stringify(task.retries);
  const range = memory && `${memory.start}${memory.ceiling === null ? '' : `..${memory.ceiling}`}`;
  const { script, image, artifacts } = task;
  return [
    head +
      said({
        ...shared,
        script: JSON.stringify(script),
        secrets,
        cpu,
        memory: range,
        storage,
        gpus,
        vram,
        image,
        timeout,
        retries,
        artifacts,
      }),
  ];
}

function globs(filter: Filter | null): readonly string[] | null {
  return filter && filter.patterns.map(({ glob }) => glob);
}

function names(references: readonly Reference[] | null): readonly string[] | null {
  return references && references.map(({ name }) => name);
}

/** The parts that are not null; an empty list counts as said only where null means something else. */
function said(parts: Readonly<Record<string, string | number | readonly string[] | null>>): string {
  return Object.entries(parts)
    .filter(
      ([name, value]) =>
        value !== null &&
        (!Array.isArray(value) || value.length > 0 || name === 'needs' || name === 'artifacts'),
    )
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`)
    .join('; ');
}
