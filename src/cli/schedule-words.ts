import { plainLine } from '../core/escape.ts';
import { outcomes } from '../core/outcome/classes.ts';
import { counted } from '../core/problems/wording.ts';
import { showTick } from '../core/schedule/show.ts';
import type { ScheduleShape } from '../server/api/schedule-shapes.ts';
import { tableLines, type Cell } from './table.ts';
import type { Terminal } from './terminal.ts';
import { ago, ahead, painter } from './words.ts';

type Painted = Pick<Terminal, 'colors'>;

/** A table of schedules, or a word where there are none. */
export function scheduleTable(terminal: Painted, rows: readonly ScheduleShape[]): readonly string[] {
  const { colors } = terminal;
  if (rows.length === 0)
    return ['No schedules. recurring_tasks in ame.yaml on the default branch makes them.'];
  const now = new Date();
  return tableLines(
    [
      { title: 'SCHEDULE' },
      { title: 'PROJECT' },
      { title: 'TASK' },
      { title: 'TIMES' },
      { title: 'ZONE' },
      { title: 'NEXT' },
      { title: 'LAST' },
      { title: 'WHY' },
    ],
    rows.map((row) => {
      const [next] = row.next;
      const run = row.last.find((event) => event.run !== null)?.run ?? null;
      return [
        row.name,
        row.project,
        row.task,
        row.schedule,
        row.timezone,
        row.state === 'active' ? (next === undefined ? '' : ahead(next, now)) : row.state,
        run === null ? '' : runCell(colors, run),
        troubleOf(row) ?? '',
      ];
    }),
    colors.bold,
  );
}

/** Everything about one schedule. */
export function scheduleDetail(terminal: Painted, row: ScheduleShape): readonly string[] {
  const { bold, dim } = terminal.colors;
  const now = new Date();
  const trouble = troubleOf(row);
  const drift =
    row.driftSeconds === null
      ? []
      : [`drift ${row.driftSeconds.toFixed(1)} s, at most ${(row.mostDriftSeconds ?? 0).toFixed(1)} s`];
  const missed = row.missedTicks === 0 ? [] : [counted(row.missedTicks, 'missed tick')];
  const facts = [...drift, ...missed].join(', ');
  return [
    `${bold(plainLine(row.name))} of ${plainLine(row.project)}: ${plainLine(row.task)}`,
    `${plainLine(row.schedule)} ${row.timezone}, catchup ${row.catchup}, overlap ${row.overlap}, line ${row.line}`,
    ...(trouble === null ? [] : [trouble]),
    ...(facts === '' ? [] : [facts]),
    '',
    ...(row.next.length === 0 ? [] : [bold('NEXT')]),
    ...row.next.map((tick) => `${showTick(new Date(tick), row.timezone)}  ${dim(ahead(tick, now))}`),
    ...(row.last.length === 0 ? [] : ['', ...lastLines(terminal, row, now)]),
  ];
}

function lastLines({ colors }: Painted, row: ScheduleShape, now: Date): readonly string[] {
  return tableLines(
    [{ title: 'LAST' }, { title: 'TICK' }, { title: 'RUN' }, { title: 'WHY' }],
    row.last.map(({ tickAt, decidedAt, run, message }) => [
      ago(decidedAt, now),
      tickAt === null ? '' : showTick(new Date(tickAt), row.timezone),
      run === null ? 'none' : runCell(colors, run),
      run !== null && run.class !== null && run.state === 'failed' ? outcomes[run.class].label : message,
    ]),
    colors.bold,
  );
}

/** What a tick came to: its run, and the newest try of that. */
function runCell(
  colors: Terminal['colors'],
  { number, state, retry }: NonNullable<ScheduleShape['last'][number]['run']>,
): Cell {
  const again = retry === null ? '' : `, #${retry.number} ${retry.state}`;
  return { text: `#${number} ${state}${again}`, paint: painter(colors, retry?.state ?? state) };
}

/** What is wrong with it, in a line; `null` where all is well. */
function troubleOf(row: ScheduleShape): string | null {
  const { state, since, reason, failing, timezone } = row;
  if (state !== 'active') {
    const from = since === null ? '' : ` since ${showTick(new Date(since), timezone)}`;
    return `${state}${from}: ${reason ?? ''}`;
  }
  if (failing !== null) {
    const { count, atLeast, class: outcome } = failing;
    const label = outcomes[outcome].label;
    const from = showTick(new Date(failing.since), timezone);
    return `failing since ${from}: ${atLeast ? 'at least ' : ''}${count} in a row, the last one with ${label}`;
  }
  return reason;
}
