import { z } from '@hono/zod-openapi';
import { outcomeClasses } from '../../core/outcome/classes.ts';
import { severities } from '../../core/problems.ts';
import { attemptStates, runStates } from '../../core/run.ts';
import { triggers } from '../../core/trigger.ts';
import { accesses } from '../../db/schema/repositories.ts';
import { accountTypes } from '../../db/schema/github.ts';

/** The shapes of the API. Times are ISO 8601, sizes are bytes. */

const time = z.iso.datetime();

export const refusalShape = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .openapi('Refusal');

export const problemShape = z
  .object({
    code: z.string(),
    severity: z.enum(severities),
    message: z.string(),
    remedy: z.string(),
    line: z.int(),
    column: z.int(),
    path: z.string(),
  })
  .openapi('Problem');

/** Ids identify, names change. */
const placeFields = {
  repositoryId: z.int(),
  host: z.enum(['local', 'github']),
  installationId: z
    .string()
    .nullable()
    .openapi({ description: "GitHub's own id of the installation; null on AME's own host" }),
};

export const runShape = z
  .object({
    id: z.int(),
    number: z.int(),
    project: z.string(),
    projectId: z.int(),
    repository: z.string().openapi({ example: 'samples/hello' }),
    ...placeFields,
    requestedBy: z.string().nullable().openapi({ description: 'Who asked for it, where a person did' }),
    task: z.string(),
    commit: z.string(),
    ref: z.string(),
    trigger: z.enum(triggers),
    state: z.enum(runStates),
    class: z.enum(outcomeClasses).nullable(),
    reason: z.string().nullable(),
    retryOf: z.int().nullable(),
    cancelRequestedAt: time.nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    planDigest: z.string(),
    url: z.string(),
  })
  .openapi('Run');
export type RunShape = z.infer<typeof runShape>;

/** Seconds spent in each phase; null for one that was not reached. */
export const phasesShape = z
  .object({
    waiting: z.number().nullable(),
    preparing: z.number().nullable(),
    running: z.number().nullable(),
    storing: z.number().nullable(),
  })
  .openapi('Phases');

export const resourcesShape = z
  .object({
    cpuMillis: z.int(),
    memoryBytes: z.int(),
    memoryCeilingBytes: z.int().openapi({ description: 'What memory may climb to after running out of it' }),
    memoryFrom: z
      .enum(['asked', 'learned', 'raised'])
      .openapi({ description: 'The file or its default; an earlier run; an earlier attempt of this run' }),
    storageBytes: z.int(),
    gpus: z.int(),
    vramMib: z.int().nullable(),
  })
  .openapi('Resources');
export type ResourcesShape = z.infer<typeof resourcesShape>;

export const attemptShape = z
  .object({
    id: z.int(),
    task: z.string(),
    number: z.int(),
    state: z.enum(attemptStates),
    class: z.enum(outcomeClasses).nullable(),
    reason: z.string().nullable(),
    exitCode: z.int().nullable(),
    signal: z.string().nullable(),
    host: z.string().nullable(),
    peakMemoryBytes: z.int().nullable(),
    cpuSeconds: z.number().nullable().openapi({ description: 'Of one core' }),
    pendingWhy: z.string().nullable().openapi({ description: 'Why it waits or waited, where that is known' }),
    resources: resourcesShape.nullable().openapi({
      description: 'What it is given; null before it is queued, and where nothing is set aside for it',
    }),
    reusedFrom: z.int().nullable(),
    createdAt: time,
    queuedAt: time.nullable(),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    phases: phasesShape,
    lastWords: z.array(z.object({ container: z.enum(['agent', 'task']), text: z.string() })).openapi({
      description:
        'What the containers of its pod said themselves, where no report says how the command ended',
    }),
    notices: z.array(z.string()),
  })
  .openapi('Attempt');
export type AttemptShape = z.infer<typeof attemptShape>;

export const transitionShape = z
  .object({
    attempt: z.int().nullable(),
    from: z.string().nullable(),
    to: z.string(),
    cause: z.string(),
    at: time,
  })
  .openapi('Transition');

export const checkShape = z
  .object({
    name: z.string(),
    status: z.enum(['queued', 'in_progress', 'completed']),
    conclusion: z.string().nullable(),
    title: z.string(),
    summary: z.string(),
    text: z.string(),
    lines: z.array(z.string()),
    annotations: z.array(
      z.object({
        path: z.string(),
        line: z.int(),
        column: z.int().nullable(),
        level: z.enum(['failure', 'warning', 'notice']),
        title: z.string(),
        message: z.string(),
      }),
    ),
    url: z.string().nullable(),
    runId: z.int().nullable(),
    told: z.boolean(),
  })
  .openapi('Check');

export const runDetailShape = runShape
  .extend({
    plan: z.unknown().openapi({ type: 'object', description: 'The frozen graph of the run' }),
    attempts: z.array(attemptShape),
    transitions: z.array(transitionShape),
    checks: z.array(checkShape),
  })
  .openapi('RunDetail');

export const artifactShape = z
  .object({
    id: z.int(),
    attemptId: z.int(),
    task: z.string(),
    path: z.string(),
    digest: z.string(),
    size: z.int(),
    mode: z.int(),
    url: z.string(),
  })
  .openapi('Artifact');

export const decisionShape = z
  .object({
    delivery: z.string().nullable(),
    commit: z.string().nullable(),
    trigger: z.string(),
    task: z.string().nullable(),
    outcome: z.enum(['run', 'no_run', 'problems']),
    rule: z.string(),
    line: z.int().nullable(),
    message: z.string(),
    remedy: z.string().nullable(),
    runId: z.int().nullable(),
    decidedAt: time,
  })
  .openapi('Decision');

export const deliveryShape = z
  .object({
    id: z.string(),
    host: z.enum(['local', 'github']),
    event: z.string(),
    action: z.string().nullable(),
    installationId: z.string().nullable(),
    pullRequest: z.int().nullable(),
    repositoryId: z.int().nullable(),
    ref: z.string().nullable(),
    before: z.string().nullable(),
    after: z.string().nullable(),
    receivedAt: time,
    outcome: z.enum(['decided', 'ignored']).nullable(),
    decidedAt: time.nullable(),
    failures: z.int(),
    postponed: z.int().openapi({ description: 'Tries that found the world away, such as the host' }),
    lastError: z.string().nullable(),
    nextTryAt: time
      .nullable()
      .openapi({ description: 'Of one that is not decided; null for one that waits for a person' }),
  })
  .openapi('Delivery');

export const projectShape = z
  .object({
    id: z.int(),
    name: z.string(),
    path: z.string(),
    repository: z.string(),
    ...placeFields,
    defaultBranch: z.string().nullable(),
    lastNumber: z.int(),
    createdAt: time,
  })
  .openapi('Project');

export const parkedShape = z
  .object({ queue: z.string(), id: z.string(), failures: z.int(), error: z.string().nullable() })
  .openapi('Parked');

const hostNumber = z.string().openapi({ description: "GitHub's own numeric id", example: '4711' });

export const githubShape = z
  .object({
    app: z
      .object({
        id: hostNumber,
        source: z.enum(['environment', 'setup']),
        url: z.string().nullable().openapi({ description: 'Where people install it, if that is known here' }),
      })
      .nullable()
      .openapi({ description: 'Null: no App is set' }),
    installations: z.array(
      z.object({
        id: hostNumber,
        account: z.string(),
        accountType: z.enum(accountTypes),
        suspendedAt: time.nullable(),
        removedAt: time.nullable(),
        lastError: z.string().nullable(),
        requests: z
          .object({ requests: z.int(), notModified: z.int(), tokens: z.int() })
          .nullable()
          .openapi({ description: 'Since the server was started; token exchanges are counted apart' }),
        repositories: z.array(
          z.object({
            id: z.int(),
            hostId: hostNumber,
            owner: z.string(),
            name: z.string(),
            defaultBranch: z.string().nullable(),
            access: z.enum(accesses),
            project: z
              .string()
              .nullable()
              .openapi({ description: 'Of the ame.yaml on the default branch; null: none that can be read' }),
            lastError: z.string().nullable(),
          }),
        ),
      }),
    ),
  })
  .openapi('Github');
export type GithubShape = z.infer<typeof githubShape>;

export const findingShape = z
  .object({
    what: z.enum(['app', 'github', 'key', 'clock', 'permissions', 'events', 'webhook', 'secret', 'address']),
    ok: z.boolean(),
    message: z.string(),
    remedy: z.string().nullable().openapi({ description: 'Null where nothing is wrong' }),
  })
  .openapi('Finding');
