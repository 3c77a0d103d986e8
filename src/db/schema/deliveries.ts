import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { bytes, id, oneOf, queueChecks, queueColumns, reference, time } from './columns.ts';
import { projects } from './projects.ts';
import { hosts, repositories } from './repositories.ts';

export const deliveryOutcomes = ['decided', 'ignored'] as const;

/** What a host told us. The primary key is the host's own id, so that a redelivery is a no-op. */
export const deliveries = pgTable(
  'deliveries',
  {
    id: text('id').primaryKey(),
    host: text('host', { enum: hosts }).notNull(),
    event: text('event').notNull(),
    /** GitHub's word for what happened to what the event is about. */
    action: text('action'),
    /** GitHub's id of the installation that it came through, as a signed payload says. */
    installationId: text('installation_id'),
    pullRequest: integer('pull_request'),
    /** As it came; jsonb refuses some correctly signed bodies, and text a NUL. */
    body: bytes('body').notNull(),
    /** Of one ref that moved. What GitHub's payloads say is narrowed when they are decided. */
    repositoryId: reference('repository_id').references(() => repositories.id),
    ref: text('ref'),
    before: text('before'),
    after: text('after'),
    receivedAt: time('received_at').notNull(),
    outcome: text('outcome', { enum: deliveryOutcomes }),
    decidedAt: time('decided_at'),
    ...queueColumns(),
  },
  (t) => [
    check('deliveries_host', oneOf(t.host, hosts)),
    check('deliveries_outcome', sql`${t.outcome} is null or ${oneOf(t.outcome, deliveryOutcomes)}`),
    check('deliveries_decided_whole', sql`(${t.outcome} is null) = (${t.decidedAt} is null)`),
    check('deliveries_due_until_decided', sql`(${t.dueAt} is null) = (${t.decidedAt} is not null)`),
    ...queueChecks('deliveries', t),
    index('deliveries_due')
      .on(t.dueAt)
      .where(sql`due_at is not null`),
    index('deliveries_received').on(t.receivedAt, t.id),
    index('deliveries_after').on(t.after),
  ],
);

export const decisionOutcomes = ['run', 'no_run', 'problems'] as const;

/** Why something ran, or did not: append only, what `ame why` reads. */
export const decisions = pgTable(
  'decisions',
  {
    id: id(),
    deliveryId: text('delivery_id').references(() => deliveries.id),
    projectId: reference('project_id').references(() => projects.id),
    repositoryId: reference('repository_id').references(() => repositories.id),
    commit: text('commit'),
    trigger: text('trigger').notNull(),
    /** The name of the schedule that it is about, and the nominal time of its tick, or of the last of several. */
    schedule: text('schedule'),
    tickAt: time('tick_at'),
    /** How many ticks it is about. */
    ticks: integer('ticks'),
    task: text('task'),
    outcome: text('outcome', { enum: decisionOutcomes }).notNull(),
    rule: text('rule').notNull(),
    line: integer('line'),
    message: text('message').notNull(),
    remedy: text('remedy'),
    /** A key to `runs` as well, made in SQL: their modules already import this one. */
    runId: reference('run_id'),
    decidedAt: time('decided_at').notNull(),
  },
  (t) => [
    check('decisions_outcome', oneOf(t.outcome, decisionOutcomes)),
    check('decisions_run', sql`(${t.outcome} = 'run') = (${t.runId} is not null)`),
    index('decisions_delivery').on(t.deliveryId),
    index('decisions_run_id').on(t.runId),
    index('decisions_commit').on(t.commit),
    check('decisions_tick', sql`(${t.tickAt} is null) = (${t.ticks} is null)`),
    index('decisions_schedule')
      .on(t.projectId, t.schedule, t.id)
      .where(sql`schedule is not null`),
  ],
);
