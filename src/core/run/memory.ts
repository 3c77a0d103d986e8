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
export function describeRaise(task: string, memory: Memory): string | null {
  const { bytes, over } = memory;
  if (over === undefined) return null;
  return `${shown(task)} needed more than ${showSize(over)} and ran with ${showSize(bytes)}. To start there: ${written(task, memory)}.`;
}

/** What a run says of a task that starts with what an earlier run came to need; `null` where it starts as asked. */
export function describeLearned(task: string, memory: Memory): string | null {
  if (memory.learned !== true) return null;
  return `${shown(task)} starts with ${showSize(memory.bytes)}, because less was not enough in an earlier run. To ask for that: ${written(task, memory)}.`;
}

/** The line of a file that starts with as much and may climb as far. */
function written(task: string, { bytes, ceilingBytes }: Memory): string {
  const [start, ceiling] = [showSize(bytes), showSize(ceilingBytes)];
  const memory = bytes === ceilingBytes ? start : `${start}..${ceiling}`;
  return `\`memory: ${memory}\` below \`resources\` of ${shown(task)} in ame.yaml`;
}
