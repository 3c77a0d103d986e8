import type { AskedResources } from '../../core/resources.ts';
import { annotations } from './names.ts';

const nothingAsked: AskedResources = {
  cpu: { millis: 0, limited: false },
  memory: { bytes: 0, ceilingBytes: 0 },
  storageBytes: 0,
  gpus: 0,
  vramMib: null,
};

/** What an attempt was given, kept with its Job: whoever looks at it after a restart has no order any more. */
export function askedText(asked: AskedResources): string {
  return JSON.stringify(asked);
}

/** The same read back; nothing where somebody removed or changed it, which only makes messages poorer. */
export function readAsked(annotationsOf: Readonly<Record<string, string>> | undefined): AskedResources {
  const value = parse(annotationsOf?.[annotations.asked] ?? '');
  if (!isRecord(value) || !isRecord(value['cpu']) || !isRecord(value['memory'])) return nothingAsked;
  const { cpu, memory } = value;
  return {
    cpu: { millis: numberOf(cpu['millis']), limited: cpu['limited'] === true },
    memory: { bytes: numberOf(memory['bytes']), ceilingBytes: numberOf(memory['ceilingBytes']) },
    storageBytes: numberOf(value['storageBytes']),
    gpus: numberOf(value['gpus']),
    vramMib: typeof value['vramMib'] === 'number' ? value['vramMib'] : null,
  };
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
