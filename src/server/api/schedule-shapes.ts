import { z } from '@hono/zod-openapi';
import { outcomeClasses } from '../../core/outcome/classes.ts';
import { runStates } from '../../core/run.ts';
import { catchups, overlaps } from '../../db/schema/projects.ts';

const time = z.iso.datetime();

const endedShape = {
  id: z.int(),
  number: z.int(),
  state: z.enum(runStates),
  class: z.enum(outcomeClasses).nullable(),
  url: z.string(),
};

/** A decision about a schedule: a run, or why a tick became none. */
export const scheduleEventShape = z
  .object({
    tickAt: time.nullable().openapi({ description: 'Nominal; null: a person asked for it' }),
    ticks: z
      .int()
      .nullable()
      .openapi({ description: 'How many ticks it is about; `tickAt` is the last one' }),
    decidedAt: time,
    rule: z.string(),
    message: z.string(),
    run: z
      .object({
        ...endedShape,
        commit: z.string(),
        retry: z
          .object(endedShape)
          .nullable()
          .openapi({ description: 'Its newest retry that has ended and was not cancelled' }),
      })
      .nullable(),
  })
  .openapi('ScheduleEvent');

export const scheduleShape = z
  .object({
    name: z.string(),
    project: z.string(),
    projectId: z.int(),
    repository: z.string(),
    task: z.string(),
    schedule: z.string(),
    timezone: z.string(),
    catchup: z.enum(catchups),
    overlap: z.enum(overlaps),
    line: z.int().openapi({ description: 'Of ame.yaml on the default branch' }),
    state: z.enum(['active', 'paused', 'held']).openapi({
      description:
        'paused: by a person; held: its ticks wait for what `reason` says, and it goes on by itself unless it was given up',
    }),
    since: time.nullable().openapi({ description: 'Of being paused or held' }),
    reason: z.string().nullable(),
    next: z.array(time).openapi({ description: 'The next ticks' }),
    failing: z
      .object({
        count: z.int(),
        atLeast: z.boolean(),
        since: time,
        class: z.enum(outcomeClasses),
        runId: z.int(),
      })
      .nullable()
      .openapi({
        description:
          'Null where fewer than three runs failed in a row; of one that was retried its newest retry counts',
      }),
    driftSeconds: z.number().nullable().openapi({ description: 'From the last tick on time to its run' }),
    mostDriftSeconds: z.number().nullable(),
    missedTicks: z.int().openapi({ description: 'Ticks among the last decisions that became no run' }),
    last: z.array(scheduleEventShape).openapi({
      description: 'Newest first; where none of them has a run, the newest run comes after them',
    }),
  })
  .openapi('Schedule');
export type ScheduleShape = z.infer<typeof scheduleShape>;
