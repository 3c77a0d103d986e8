import { randomUUID } from 'node:crypto';
import { plainLine } from '../../core/escape.ts';
import { showTick } from '../../core/schedule/show.ts';
import type { ScheduleShape } from '../../server/api/schedule-shapes.ts';
import { attendRun } from '../attend-run.ts';
import { answer, connect, pathPart, type Client } from '../client.ts';
import { exitCodes, type ExitCode } from '../fault.ts';
import { chooseProject } from '../project-name.ts';
import { note, print, printJson, type Terminal } from '../terminal.ts';
import { scheduleDetail, scheduleTable } from '../schedule-words.ts';
import { runName } from '../words.ts';

export type ScheduleOptions = { readonly project?: string; readonly json?: true };

/** Lists the schedules of a project, or with no project named those of all. */
export async function listSchedules(terminal: Terminal, options: ScheduleOptions): Promise<ExitCode> {
  const schedules = await readSchedules(await connect(terminal), options.project);
  if (options.json) printJson(terminal, schedules);
  else for (const line of scheduleTable(terminal, schedules)) print(terminal, line);
  return exitCodes.good;
}

/** The most that one page of the API holds. */
const pageSize = 200;

async function readSchedules(client: Client, project: string | undefined): Promise<readonly ScheduleShape[]> {
  const found: ScheduleShape[] = [];
  for (let cursor: string | null = null; ;) {
    const query = {
      ...(project === undefined ? {} : { project }),
      ...(cursor === null ? {} : { cursor }),
      limit: String(pageSize),
    };
    const page: { readonly schedules: readonly ScheduleShape[]; readonly next: string | null } = await answer(
      client.api.schedules.$get({ query }),
    );
    found.push(...page.schedules);
    cursor = page.next;
    if (cursor === null) return found;
  }
}

export async function showSchedule(
  terminal: Terminal,
  name: string,
  options: ScheduleOptions,
): Promise<ExitCode> {
  const client = await connect(terminal);
  const shown = await readSchedule(client, await paramOf(terminal, name, options), 5);
  if (options.json) printJson(terminal, shown);
  else for (const line of scheduleDetail(terminal, shown)) print(terminal, line);
  return exitCodes.good;
}

/** The next ticks, in the schedule's zone. */
export async function nextOfSchedule(
  terminal: Terminal,
  name: string,
  options: ScheduleOptions & { readonly count: number },
): Promise<ExitCode> {
  const client = await connect(terminal);
  const shown = await readSchedule(client, await paramOf(terminal, name, options), options.count);
  if (options.json) printJson(terminal, shown.next);
  else if (shown.state === 'paused')
    note(terminal, `${plainLine(name)} is paused: ame schedule resume ${name}`);
  else {
    for (const tick of shown.next)
      print(terminal, `${showTick(new Date(tick), shown.timezone)}  ${terminal.colors.dim(tick)}`);
  }
  return exitCodes.good;
}

export async function pauseSchedule(
  terminal: Terminal,
  name: string,
  options: ScheduleOptions,
): Promise<ExitCode> {
  const client = await connect(terminal);
  const param = await paramOf(terminal, name, options);
  const of = client.api.projects[':project'].schedules[':schedule'];
  return say(
    terminal,
    options,
    await answer(of.pause.$post({ param })),
    () => 'is paused, whatever is pushed',
  );
}

export async function resumeSchedule(
  terminal: Terminal,
  name: string,
  options: ScheduleOptions,
): Promise<ExitCode> {
  const client = await connect(terminal);
  const param = await paramOf(terminal, name, options);
  const of = client.api.projects[':project'].schedules[':schedule'];
  return say(terminal, options, await answer(of.resume.$post({ param })), ({ next: [first], timezone }) =>
    first === undefined
      ? 'ticks again'
      : `ticks next at ${showTick(new Date(first), timezone)} (${timezone})`,
  );
}

/** Runs the schedule's task now, and follows the run. */
export async function runScheduleNow(
  terminal: Terminal,
  name: string,
  options: ScheduleOptions & { readonly follow: boolean },
): Promise<ExitCode> {
  const client = await connect(terminal);
  const param = await paramOf(terminal, name, options);
  const header = { 'idempotency-key': randomUUID() };
  const of = client.api.projects[':project'].schedules[':schedule'];
  const asked = await answer(of.runs.$post({ param, header }));
  note(terminal, `${runName(asked)}: ${plainLine(asked.task)} at ${asked.commit.slice(0, 12)}`);
  return attendRun(terminal, client, asked, options);
}

type Param = { readonly project: string; readonly schedule: string };

async function paramOf(terminal: Terminal, name: string, options: ScheduleOptions): Promise<Param> {
  const project = await chooseProject(terminal, options.project);
  return { project: pathPart(project), schedule: pathPart(name) };
}

async function readSchedule(client: Client, param: Param, next: number): Promise<ScheduleShape> {
  const query = { next: String(next) };
  return answer(client.api.projects[':project'].schedules[':schedule'].$get({ param, query }));
}

function say(
  terminal: Terminal,
  options: ScheduleOptions,
  shown: ScheduleShape,
  what: (shown: ScheduleShape) => string,
): ExitCode {
  if (options.json) printJson(terminal, shown);
  else
    print(terminal, `The schedule ${plainLine(shown.name)} of ${plainLine(shown.project)} ${what(shown)}.`);
  return exitCodes.good;
}
