import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { plainLine } from '../../core/escape.ts';
import type { RunShape } from '../../server/api/shapes.ts';
import { attendRun } from '../attend-run.ts';
import { answer, connect, type Client } from '../client.ts';
import { RefusalFault, ServerAwayFault, type ExitCode } from '../fault.ts';
import { chooseProject } from '../project-name.ts';
import { note, type Terminal } from '../terminal.ts';
import { runName, shortRef } from '../words.ts';

export type RunOptions = {
  readonly project?: string;
  readonly ref?: string;
  readonly follow: boolean;
  readonly json?: true;
};

/** Asks for a run of a task, at a commit that the host has, and follows it. */
export async function run(
  terminal: Terminal,
  task: string | undefined,
  options: RunOptions,
): Promise<ExitCode> {
  const client = await connect(terminal);
  const project = await chooseProject(terminal, options.project);
  const asked = await requestRun(client, {
    project,
    ...(task === undefined ? {} : { task }),
    ...(options.ref === undefined ? {} : { ref: options.ref }),
  });
  const what = `${plainLine(asked.task)} at ${asked.commit.slice(0, 12)} on ${plainLine(shortRef(asked.ref))}`;
  note(terminal, `${runName(asked)}: ${what}`);
  return attendRun(terminal, client, asked, options);
}

const mostTries = 4;

/** Asks again where no answer came: under the same key two requests make one run. */
async function requestRun(
  client: Client,
  json: { readonly project: string; readonly task?: string; readonly ref?: string },
): Promise<RunShape> {
  const header = { 'idempotency-key': randomUUID() };
  for (let tries = 1; ; tries++) {
    try {
      return await answer(client.api.runs.$post({ json, header }));
    } catch (error) {
      const passing =
        error instanceof ServerAwayFault || (error instanceof RefusalFault && error.status === 503);
      if (!passing || tries === mostTries) throw error;
      await delay(250 * 2 ** tries);
    }
  }
}
