import { parseQuantity, splitRange } from '../quantity.ts';
import type { Resources } from '../project.ts';
import { resourceKeys } from './keys-limits.ts';
import type { Entry, TextNode } from './node.ts';
import { rangeFault, sizesOf } from './ranges.ts';
import { readFields, readInteger, readMap, readValue } from './read.ts';
import { suggestQuantities } from './suggest-quantity.ts';
import type { Report } from './report.ts';

export const noResources: Resources = { cpu: null, memory: null, storage: null, gpus: null, vram: null };

const mebibyte = 1n << 20n;
const nano = 1_000_000_000n;

/** `resources`: cores, memory as a size or range, storage, whole GPUs and the memory of each. */
export function readResources(entry: Entry, report: Report): Resources {
  const wanted = {
    what: '`resources`',
    expected: 'a map',
    write: 'Write `resources: {cpu: 2, memory: 8Gi}`.',
  };
  const node = readMap(entry.value, wanted, report);
  if (node === null) return noResources;
  const fields = readFields(node, resourceKeys, report);
  const gpus = fields.get('gpus');
  const vram = fields.get('vram');
  const count =
    gpus === undefined
      ? null
      : readInteger(gpus.value, { what: '`gpus`', least: 0, most: 1024, example: 'gpus: 1' }, report);
  if (vram !== undefined && (gpus === undefined ? fields.lacks('gpus') : count === 0))
    report('vram-without-gpus', vram.at, {});
  return {
    cpu: readQuantity(fields.get('cpu'), 'cpu', report),
    memory: readMemory(fields.get('memory'), report),
    storage: readQuantity(fields.get('storage'), 'storage', report),
    gpus: count,
    vram: readQuantity(vram, 'vram', report),
  };
}

type Measured = 'cpu' | 'memory' | 'storage' | 'vram';

const examples: Readonly<Record<Measured, string>> = {
  cpu: '500m',
  memory: '8Gi',
  storage: '50Gi',
  vram: '24Gi',
};

function readQuantity(entry: Entry | undefined, what: Measured, report: Report): string | null {
  const text = entry === undefined ? null : readSize(entry, what, report);
  if (text === null) return null;
  const written = text.text.trim();
  const sizes = sizesOf(written);
  if (sizes !== null) {
    const why = 'it is a range, and only `memory` takes one';
    const suggestions = sizes.length === 0 ? [examples[what]] : sizes;
    report('bad-quantity', text.at, { what: nounOf(what), text: written, why, suggestions });
    return null;
  }
  return checkQuantity(written, text, what, report) ? written : null;
}

function readMemory(entry: Entry | undefined, report: Report): Resources['memory'] {
  const text = entry === undefined ? null : readSize(entry, 'memory', report);
  if (text === null) return null;
  const fault = rangeFault(text.text);
  if (fault !== null) {
    report('bad-range', text.at, { what: 'memory', text: text.text, ...fault });
    return null;
  }
  const range = splitRange(text.text);
  const ends = [range.start, ...(range.ceiling === null ? [] : [range.ceiling])];
  return ends.every((end) => checkQuantity(end, text, 'memory', report)) ? range : null;
}

function readSize(entry: Entry, what: Measured, report: Report): TextNode | null {
  const wanted = {
    what: `\`${what}\``,
    expected: 'a number or a quantity',
    write: `Write \`${what}: ${examples[what]}\`, for instance.`,
  };
  return readValue(entry.value, wanted, report);
}

function nounOf(what: Measured): string {
  return what === 'cpu' ? 'number of cores' : `size for \`${what}\``;
}

function checkQuantity(text: string, node: TextNode, what: Measured, report: Report): boolean {
  const value = parseQuantity(text);
  if (value === null || value <= 0n) {
    const { why, suggestions } = suggestQuantities(text, value, examples[what]);
    report('bad-quantity', node.at, { what: nounOf(what), text, why, suggestions });
    return false;
  }
  const least = what === 'cpu' ? nano / 1000n : mebibyte * nano;
  if (value >= least) return true;
  const bare = text.replace(/[a-zA-Z]+$/u, '');
  const suggestion = what === 'cpu' ? `${bare}m` : `${bare}${text.endsWith('m') ? 'Mi' : 'Gi'}`;
  report('quantity-too-small', node.at, {
    what: `\`${what}\``,
    text,
    means:
      what === 'cpu'
        ? 'less than a thousandth of a core'
        : value < nano
          ? 'less than a byte'
          : `${(value / nano).toLocaleString('en-US')} bytes`,
    least: what === 'cpu' ? '1m' : '1Mi',
    suggestion,
  });
  return false;
}
