import { z } from 'zod';
import { doorLimits } from '../../core/door-wire.ts';
import { isDigest } from '../../core/snapshot.ts';

/** What an agent may send, apart from its report and its log. */

export const digestShape = z.string().refine(isDigest, 'not a digest');

export const missingShape = z.object({ digests: z.array(digestShape) });

export const signedShape = z.object({ digests: z.array(digestShape).max(doorLimits.signed) });

export const confirmShape = z.object({
  uploads: z.array(z.object({ digest: digestShape, upload: z.string().max(128) })).max(doorLimits.signed),
});

export const startedShape = z.object({ at: z.iso.datetime().transform((text) => new Date(text)) });
