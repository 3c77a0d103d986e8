import type { RecurringTask } from '../project.ts';
import { nextTicks } from './ticks.ts';
import { openZone } from './zone.ts';

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A tick as the clocks of its zone show it: `Sun 2026-11-22 12:00`. */
export function showTick(tick: Date, zone: string): string {
  const local = new Date(tick.getTime() + openZone(zone).offsetAt(tick.getTime()));
  return `${weekdays[local.getUTCDay()] ?? ''} ${local.toISOString().slice(0, 16).replace('T', ' ')}`;
}

/** Ticks that a check and a plan show. */
export const shownTicks = 5;

/** The next ticks after a moment, as the clocks of the schedule's zone show them. */
export function shownTicksOf(
  { schedule, timezone }: Pick<RecurringTask, 'schedule' | 'timezone'>,
  after: Date,
): readonly string[] {
  return nextTicks(schedule, timezone, after, shownTicks).map((tick) => showTick(tick, timezone));
}
