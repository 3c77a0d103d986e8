import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  real,
  text,
  uniqueIndex,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core';
import type { AttemptReport } from '../../core/attempt.ts';
import { outcomeClasses } from '../../core/outcome/classes.ts';
import type { LastWords } from '../../core/outcome/last-words.ts';
import type { Plan } from '../../core/plan.ts';
import { busyRules } from '../../core/project.ts';
import type { AskedResources } from '../../core/resources.ts';
import { attemptStates, finalStates, runStates, stopReasons } from '../../core/run.ts';
import { triggers } from '../../core/trigger.ts';
import { id, oneOf, queueChecks, queueColumns, reference, time, json } from './columns.ts';
import { deliveries } from './deliveries.ts';
import { projects } from './projects.ts';

export const trusts = ['trusted', 'fork'] as const;
export const cancelReasons = ['cancel', 'superseded'] as const;

/** An execution of a plan. `cause_key` says what is one and the same run. */
export const runs = pgTable(
  'runs',
  {
    id: id(),
    projectId: reference('project_id')
      .notNull()
      .references(() => projects.id),
    number: integer('number').notNull(),
    task: text('task').notNull(),
    commit: text('commit').notNull(),
    ref: text('ref').notNull(),
    trigger: text('trigger', { enum: triggers }).notNull(),
    causeKey: text('cause_key').notNull(),
    retryOf: reference('retry_of').references((): AnyPgColumn => runs.id),
    deliveryId: text('delivery_id').references(() => deliveries.id),
    /** Who asked for it, where a person did: `octocat on GitHub`. */
    requestedBy: text('requested_by'),
    /** Code of a fork never sees a secret. */
    trust: text('trust', { enum: trusts }).notNull(),
    plan: json('plan').$type<Plan>().notNull(),
    planDigest: text('plan_digest').notNull(),
    concurrencyGroup: text('concurrency_group').notNull(),
    whenBusy: text('when_busy', { enum: busyRules }).notNull(),
    state: text('state', { enum: runStates }).notNull(),
    /** Of the first failure that was final, while the run goes on; of the run itself once it is over. */
    class: text('class', { enum: outcomeClasses }),
    reason: text('reason'),
    version: integer('version').notNull().default(0),
    cancelRequestedAt: time('cancel_requested_at'),
    cancelReason: text('cancel_reason', { enum: cancelReasons }),
    /** Who asked for it, in words. */
    cancelCause: text('cancel_cause'),
    createdAt: time('created_at').notNull(),
    startedAt: time('started_at'),
    finishedAt: time('finished_at'),
    ...queueColumns(),
  },
  (t) => [
    check('runs_state', oneOf(t.state, runStates)),
    check('runs_trigger', oneOf(t.trigger, triggers)),
    check('runs_trust', oneOf(t.trust, trusts)),
    check('runs_when_busy', oneOf(t.whenBusy, busyRules)),
    check('runs_cancel_reason', sql`${t.cancelReason} is null or ${oneOf(t.cancelReason, cancelReasons)}`),
    check('runs_number_counts', sql`${t.number} >= 1`),
    check('runs_final_finished', sql`(${oneOf(t.state, finalStates)}) = (${t.finishedAt} is not null)`),
    check('runs_due_until_final', sql`${t.dueAt} is not null or ${t.finishedAt} is not null`),
    check('runs_class', sql`${t.class} is null or ${oneOf(t.class, outcomeClasses)}`),
    check('runs_final_class', sql`${t.finishedAt} is null or ${t.class} is not null`),
    check('runs_cancel_whole', sql`(${t.cancelRequestedAt} is null) = (${t.cancelReason} is null)`),
    check('runs_retry', sql`(${t.trigger} = 'retry') = (${t.retryOf} is not null)`),
    ...queueChecks('runs', t),
    uniqueIndex('runs_cause').on(t.projectId, t.causeKey),
    uniqueIndex('runs_number').on(t.projectId, t.number),
    index('runs_due')
      .on(t.dueAt)
      .where(sql`due_at is not null`),
    index('runs_group')
      .on(t.concurrencyGroup)
      .where(sql`finished_at is null`),
    index('runs_created').on(t.createdAt, t.id),
    index('runs_commit').on(t.commit),
    index('runs_retries')
      .on(t.retryOf, t.id)
      .where(sql`retry_of is not null`),
  ],
);

/** One try of one task of a run. */
export const attempts = pgTable(
  'attempts',
  {
    id: id(),
    runId: reference('run_id')
      .notNull()
      .references(() => runs.id),
    task: text('task').notNull(),
    /** Of the task in the plan. */
    position: integer('position').notNull(),
    number: integer('number').notNull(),
    state: text('state', { enum: attemptStates }).notNull(),
    class: text('class', { enum: outcomeClasses }),
    reason: text('reason'),
    exitCode: integer('exit_code'),
    signal: text('signal'),
    /** The machine that runs it, where only that machine can see it. */
    host: text('host'),
    /** What it is given, from the moment that it is queued. */
    resources: json('resources').$type<AskedResources>(),
    peakMemoryBytes: reference('peak_memory_bytes'),
    /** Of one core. */
    cpuSeconds: real('cpu_seconds'),
    /** Why it still waits, in a sentence, as last seen; stays behind as what it waited for. */
    pendingWhy: text('pending_why'),
    /** When something of it was first seen outside of AME, which is lost once it is seen no more. */
    seenAt: time('seen_at'),
    /** A retry waits until then. */
    notBefore: time('not_before'),
    stopReason: text('stop_reason', { enum: stopReasons }),
    createdAt: time('created_at').notNull(),
    readyAt: time('ready_at'),
    queuedAt: time('queued_at'),
    preparedFrom: time('prepared_from'),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
    storedAt: time('stored_at'),
    finishedAt: time('finished_at'),
    /** The agent's word that the command runs, and that it is over; a reconcile turns both into states. */
    saidStartedAt: time('said_started_at'),
    report: json('report').$type<AttemptReport>(),
    /** What its pod said itself, where no report says how its command ended. */
    lastWords: json('last_words').$type<LastWords>(),
    /** The workspace as the task left it. */
    output: text('output'),
    reusedFrom: reference('reused_from').references((): AnyPgColumn => attempts.id),
  },
  (t) => [
    check('attempts_state', oneOf(t.state, attemptStates)),
    check('attempts_class', sql`${t.class} is null or ${oneOf(t.class, outcomeClasses)}`),
    check('attempts_stop_reason', sql`${t.stopReason} is null or ${oneOf(t.stopReason, stopReasons)}`),
    check('attempts_final_finished', sql`(${oneOf(t.state, finalStates)}) = (${t.finishedAt} is not null)`),
    check('attempts_final_class', sql`(${t.finishedAt} is null) = (${t.class} is null)`),
    check('attempts_number', sql`${t.number} >= 1`),
    uniqueIndex('attempts_number_once').on(t.runId, t.task, t.number),
    index('attempts_active')
      .on(t.runId)
      .where(sql`finished_at is null`),
    index('attempts_running')
      .on(t.host)
      .where(sql`state in ('queued', 'running')`),
  ],
);

/** The memory that a task of a project came to need: where its next run begins. */
export const learnedMemory = pgTable(
  'learned_memory',
  {
    projectId: reference('project_id')
      .notNull()
      .references(() => projects.id),
    task: text('task').notNull(),
    bytes: reference('bytes').notNull(),
    /** What the file asked for when this was learned, such as `2Gi..8Gi`; '' for nothing. It counts for no other word. */
    asked: text('asked').notNull(),
    learnedAt: time('learned_at').notNull(),
    attemptId: reference('attempt_id')
      .notNull()
      .references(() => attempts.id),
  },
  (t) => [primaryKey({ columns: [t.projectId, t.task] }), check('learned_memory_some', sql`${t.bytes} > 0`)],
);

/** Every change of a state, with its cause: append only. */
export const transitions = pgTable(
  'transitions',
  {
    id: id(),
    runId: reference('run_id')
      .notNull()
      .references(() => runs.id),
    attemptId: reference('attempt_id').references(() => attempts.id),
    from: text('from'),
    to: text('to').notNull(),
    cause: text('cause').notNull(),
    at: time('at').notNull(),
  },
  (t) => [index('transitions_run').on(t.runId, t.id)],
);
