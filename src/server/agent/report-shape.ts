import { z } from 'zod';
import { faultClasses, type AttemptReport } from '../../core/attempt.ts';
import { digestShape } from './shapes.ts';

const count = z.int().nonnegative();
const time = z.iso.datetime().transform((text) => new Date(text));

const ending = z.object({
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  commandNotFound: z.string().nullable().exactOptional(),
  outOfMemory: z.boolean().exactOptional(),
});

/** Of `Fault`: the agent may say any of them. */
const fault = z.object({
  class: z.enum(faultClasses),
  message: z.string(),
});

/** `AttemptReport` as it comes over HTTP. */
export const reportShape: z.ZodType<AttemptReport> = z.object({
  ending: ending.nullable(),
  fault: fault.nullable(),
  phases: z.object({
    preparedFrom: time.nullable(),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    storedAt: time.nullable(),
  }),
  output: digestShape.nullable(),
  artifacts: z.array(z.object({ path: z.string(), digest: digestShape, size: count, mode: count })),
  notices: z.array(z.string()),
  peakMemoryBytes: count.nullable(),
  cpuSeconds: z.number().nonnegative().max(1e12).nullable().exactOptional(),
  interrupted: z.enum(['taken', 'timeout']).nullable().exactOptional(),
  outputBytes: z.object({ all: count, changed: count }).nullable().exactOptional(),
});
