import type { Env } from '../config.ts';
import { parseQuantity, wholeUnits } from '../core/quantity.ts';
import type { ResourceDefaults } from '../core/resources.ts';

/** Reads what tasks are given that ask for nothing: quantities as Kubernetes writes them. */
export function parseResourceDefaults(env: Env, faults: string[]): ResourceDefaults {
  const quantity = (name: string, fallback: string, read: (text: string) => bigint | null): number => {
    const text = env[name]?.trim() || fallback;
    const value = read(text);
    if (value !== null && value > 0n && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    faults.push(`${name} is '${text}', but must be a quantity above 0, such as ${fallback}`);
    return Number(read(fallback) ?? 1n);
  };
  const memoryBytes = quantity('AME_DEFAULT_MEMORY', '2Gi', wholeUnits);
  const ceiling = quantity('AME_MEMORY_CEILING', '16Gi', wholeUnits);
  if (ceiling < memoryBytes) faults.push('AME_MEMORY_CEILING is less than AME_DEFAULT_MEMORY');
  return {
    cpuMillis: quantity('AME_DEFAULT_CPU', '1', millisOf),
    memoryBytes,
    memoryCeilingBytes: ceiling,
    storageBytes: quantity('AME_DEFAULT_STORAGE', '10Gi', wholeUnits),
  };
}

const nanosPerMilli = 1_000_000n;

/** Rounded up: no task is given less than it was promised. */
function millisOf(text: string): bigint | null {
  const nanos = parseQuantity(text);
  return nanos === null ? null : (nanos + nanosPerMilli - 1n) / nanosPerMilli;
}
