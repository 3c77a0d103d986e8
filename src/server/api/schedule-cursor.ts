import { z } from '@hono/zod-openapi';
import type { PlacedSchedule, ScheduleCursor } from '../../db/schedule-list.ts';
import { plainText } from './params.ts';
import { refuse } from './refuse.ts';

const cursorShape = z.tuple([plainText(1_000), z.int().positive(), plainText(1_000)]);

/** Where the next page begins: after this schedule. The words are for this server alone. */
export function writeCursor({ project, name }: PlacedSchedule): string {
  return Buffer.from(JSON.stringify([project.name, project.id, name])).toString('base64url');
}

/** Refuses what was not written by `writeCursor`. */
export function readCursor(cursor: string): ScheduleCursor {
  const { success, data } = cursorShape.safeParse(parse(Buffer.from(cursor, 'base64url').toString()));
  if (!success) throw refuse(422, 'cursor', 'cursor: there is no page after that');
  const [projectName, projectId, name] = data;
  return { projectName, projectId, name };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
