import { showBytes } from '../../core/check/amounts.ts';
import type { Attempt } from '../../db/attempts.ts';

/** What an attempt used of what it was given, such as `; 1.2 GiB of 2.0 GiB, 0.8 of 2 cores`; '' where nobody counted. */
export function useText(attempt: Attempt): string {
  const parts = [memoryUse(attempt), coreUse(attempt)].filter((part) => part !== '');
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}

function memoryUse({ peakMemoryBytes, resources }: Attempt): string {
  if (peakMemoryBytes === null) return '';
  const peak = showBytes(peakMemoryBytes);
  if (resources === null) return peak;
  const { bytes, over, learned } = resources.memory;
  const more = over !== undefined ? ' (raised)' : learned === true ? ' (learned)' : '';
  return `${peak} of ${showBytes(bytes)}${more}`;
}

function coreUse({ cpuSeconds, startedAt, endedAt, resources }: Attempt): string {
  if (cpuSeconds === null || startedAt === null || endedAt === null) return '';
  const seconds = (endedAt.getTime() - startedAt.getTime()) / 1_000;
  // Of what was over in no time there is no average worth a word.
  if (seconds < 1) return '';
  const busy = (cpuSeconds / seconds).toFixed(1);
  return resources === null ? `${busy} cores` : `${busy} of ${resources.cpu.millis / 1_000} cores`;
}
