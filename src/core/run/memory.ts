import { shown } from '../problems/wording.ts';
import { showSize } from '../quantity.ts';
import type { AskedResources } from '../resources.ts';

/** Memory climbs the ladder: what ran out of it is tried again with twice as much, up to its ceiling. */
type Memory = AskedResources['memory'];

/** The next rung; `null` at the ceiling. */
export function raiseMemory({ bytes, ceilingBytes }: Memory): Memory | null {
  if (bytes >= ceilingBytes) return null;
  return { bytes: Math.min(2 * bytes, ceilingBytes), ceilingBytes, over: bytes };
}

/** Why an attempt failed for want of memory, and what a person can do about it once nothing is left to try. */
export function describeOutOfMemory(memory: Memory): string {
  const had = `The command needed more than the ${showSize(memory.bytes)} of memory that it had`;
  if (memory.bytes < memory.ceilingBytes) return `${had}.`;
  return `${had}, which is its ceiling. Raise the ceiling in \`resources.memory\`, up to the AME_MEMORY_CEILING of this AME.`;
}

/**
 * What a run says of a task that ended well once it had more memory, and what to write to begin there; `null` where it
 * needed no more.
 */
export function describeRaise(task: string, { bytes, ceilingBytes, over }: Memory): string | null {
  if (over === undefined) return null;
  const [start, ceiling] = [showSize(bytes), showSize(ceilingBytes)];
  const written = bytes === ceilingBytes ? start : `${start}..${ceiling}`;
  return `${shown(task)} needed more than ${showSize(over)} and ran with ${start}. To start there: \`memory: ${written}\` below \`resources\` of ${shown(task)} in ame.yaml.`;
}
