import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostileWords } from './hostile-words.ts';
import type { Random } from '../random.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const directory = join(import.meta.dirname, '../../fixtures/deliveries');

/** The recorded deliveries. */
export const recorded = readdirSync(directory)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name): { readonly event: string; readonly payload: Json } =>
    JSON.parse(readFileSync(join(directory, name), 'utf8')),
  );
const events = [...new Set(recorded.map(({ event }) => event))];

/** A delivery that GitHub would hardly send: a recorded one, changed in a few places, cut, or under another name. */
export function hostileDelivery(random: Random): { readonly event: string; readonly body: Uint8Array } {
  const { event, payload } = random.pick(recorded);
  const changed = structuredClone(payload);
  for (let times = random.below(5); times > 0; times -= 1) twist(random, changed);
  const bytes = Buffer.from(random.chance(0.03) ? JSON.stringify([changed]) : JSON.stringify(changed));
  return {
    event: random.chance(0.9) ? event : random.pick([...events, ...hostileWords]),
    body: random.chance(0.9) ? bytes : broken(random, bytes),
  };
}

/** Changes one place in it; what AME reads is mostly near the root, so that is met most. */
function twist(random: Random, payload: Json): void {
  let at = payload;
  for (let depth = 0; typeof at === 'object' && at !== null && depth < 12; depth += 1) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = random.pick(keys);
    const below: Json | undefined = Array.isArray(at) ? at[Number(key)] : at[key];
    if (below === undefined) return;
    if (typeof below === 'object' && below !== null && random.chance(0.8)) {
      at = below;
      continue;
    }
    const value = other(random, below);
    if (Array.isArray(at)) at[Number(key)] = value;
    else if (random.chance(0.1)) delete at[key];
    // As JSON.parse does: an own property, also where it is called __proto__.
    else
      Object.defineProperty(at, random.chance(0.1) ? random.pick(hostileWords) : key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return;
  }
}

function other(random: Random, value: Json): Json {
  const word = random.pick(hostileWords);
  switch (random.below(8)) {
    case 0:
      return word;
    case 1:
      return typeof value === 'string' ? value + word : [value];
    case 2:
      return typeof value === 'string' ? `${word}/${value}` : { id: value };
    case 3:
      return random.pick([0, -1, 0.5, 1e308, 2 ** 31, 2 ** 53, 2 ** 53 + 2, Number.MAX_SAFE_INTEGER]);
    case 4:
      return random.pick([null, true, false, '', [], {}]);
    case 5:
      return word.repeat(1 + random.below(300));
    case 6:
      return Array.from({ length: random.below(200) }, () => value);
    default:
      return typeof value === 'string' ? value.slice(random.below(value.length + 1)) : JSON.stringify(value);
  }
}

function broken(random: Random, bytes: Buffer): Uint8Array {
  const at = random.below(bytes.length + 1);
  switch (random.below(4)) {
    case 0:
      return bytes.subarray(0, at);
    case 1: // no UTF-8
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([0xc3, 0x28, 0xff]), bytes.subarray(at)]);
    case 2: // deep
      return Buffer.from('{"a":['.repeat(random.below(3_000)));
    default:
      return Buffer.concat([bytes, bytes]);
  }
}
