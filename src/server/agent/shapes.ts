import { z } from 'zod';
import { isDigest } from '../../core/snapshot.ts';

/** What an agent may send, apart from its report and its log. */

export const digestShape = z.string().refine(isDigest, 'not a digest');

export const missingShape = z.object({ digests: z.array(digestShape) });

export const startedShape = z.object({ at: z.iso.datetime().transform((text) => new Date(text)) });
