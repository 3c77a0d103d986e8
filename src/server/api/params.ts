import { z } from '@hono/zod-openapi';
import type { PlaceFilter } from '../../db/projects.ts';
import { refusalShape } from './shapes.ts';

/** Text that is looked for in the database, which has no NUL in its texts and fails where a question has one. */
export function plainText(most = 300) {
  return z
    .string()
    .max(most)
    .regex(/^[^\0]*$/, 'must not contain a NUL character');
}

/** What belongs to one installation (GitHub's id) or to one repository (AME's id), and to no other. */
export const placeQuery = z.object({
  installation: z
    .string()
    .regex(/^[1-9]\d{0,18}$/)
    .optional(),
  repository: z.coerce.number().int().positive().optional().openapi({ type: 'integer' }),
});

export function placeOf({ installation, repository }: z.infer<typeof placeQuery>): PlaceFilter {
  return {
    ...(installation === undefined ? {} : { installationId: installation }),
    ...(repository === undefined ? {} : { repositoryId: repository }),
  };
}

/** A number that the database keeps in 32 bits. */
export const counted = z.coerce.number().int().positive().max(2_147_483_647).openapi({ type: 'integer' });

/** Rows of a page. */
export const limit = z.coerce.number().int().min(1).max(200).default(30).openapi({ type: 'integer' });

export const rangeHeader = z.object({
  range: z.string().optional().openapi({ description: 'One range, as in `bytes=0-99`' }),
});

/** What content may be answered with that can be asked for in parts. */
export function rangeResponses(type: string, description: string) {
  const content = { [type]: { schema: z.string().openapi({ format: 'binary' }) } };
  return {
    200: { description, content },
    206: { description: 'The part that was asked for', content },
    416: { description: 'There is no such part', content: { 'application/json': { schema: refusalShape } } },
  };
}
