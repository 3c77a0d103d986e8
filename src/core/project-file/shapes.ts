import { busyRules, conditions } from '../project.ts';
import type { Schema } from './key-table.ts';

export const namePattern = '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$';
export const variablePattern = '^[A-Za-z_][A-Za-z0-9_]*$';

/** A reference to one of the definitions of the schema. */
export function defined(name: keyof typeof definitions): Schema {
  return { $ref: `#/definitions/${name}` };
}

/** The schema of one of the key tables. */
export function table(name: string): Schema {
  return { $ref: `#/definitions/${name}` };
}

/** A map of the user's own names. */
export function named(value: Schema, least = 0): Schema {
  return {
    type: 'object',
    propertyNames: { pattern: namePattern },
    patternProperties: { '^x-': true },
    additionalProperties: value,
    minProperties: least,
  };
}

/** One item, or a list of them. */
export function oneOrMore(item: Schema, least = 0): Schema {
  return { anyOf: [item, { type: 'array', items: item, minItems: least }] };
}

/** One of some words. */
export function choice(words: readonly string[]): Schema {
  return { enum: words };
}

export const catchups = ['none', 'last', 'all'] as const;
export const overlaps = ['skip', 'queue', 'allow'] as const;
export const groups = ['branch', 'task'] as const;
export const forkRules = ['approve', 'never'] as const;
export const triggers = ['push', 'pull_request'] as const;

export const conditionSchema = choice(conditions);
export const busySchema = choice(busyRules);

const visible = '[^\\s]';

/** Shapes that several keys share; each becomes a definition of the schema. */
export const definitions = {
  name: { type: ['string', 'number', 'boolean'], pattern: namePattern },
  // `~` and `null` are text where text is meant.
  text: { type: ['string', 'number', 'boolean', 'null'] },
  command: {
    description: 'One sh script under -e; a list is its lines.',
    anyOf: [
      { type: ['string', 'number', 'boolean'], pattern: visible },
      { type: 'array', items: { type: ['string', 'number', 'boolean', 'null'] }, minItems: 1 },
    ],
  },
  variableName: { type: 'string', pattern: variablePattern, not: { pattern: '^[Aa][Mm][Ee]_' } },
  duration: {
    description: 'Numbers with the units s, m, h, d, and sums of them.',
    type: 'string',
    pattern: '^\\s*(?:\\d+[smhd]\\s*)+$',
  },
  cpu: {
    description: 'A number of cores, or thousandths as in 500m.',
    anyOf: [
      { type: 'number', exclusiveMinimum: 0 },
      { type: 'string', pattern: '^\\+?[0-9.]+(?:[eE][+-]?\\d{1,2}|[numkMGTPE]|[KMGTPE]i)?$' },
    ],
  },
  size: {
    description: 'Bytes, with a unit such as Mi, Gi, Ti.',
    anyOf: [
      { type: 'number', minimum: 1_048_576 },
      { type: 'string', pattern: '^\\+?[0-9.]+(?:[eE][+-]?\\d{1,2}|[kMGTPE]|[KMGTPE]i)?$' },
    ],
  },
  sizeRange: {
    description: 'A size, or start..ceiling as in 8Gi..32Gi.',
    anyOf: [
      { type: 'number', minimum: 1_048_576 },
      {
        type: 'string',
        pattern:
          '^\\s*\\+?[0-9.]+?(?:[eE][+-]?\\d{1,2}|[kMGTPE]|[KMGTPE]i)?\\s*(?:\\.\\.\\s*\\+?[0-9.]+(?:[eE][+-]?\\d{1,2}|[kMGTPE]|[KMGTPE]i)?\\s*)?$',
      },
    ],
  },
  glob: { type: ['string', 'number', 'boolean'], pattern: '^!?[^/!\\s]' },
  refGlob: { type: ['string', 'number', 'boolean'], pattern: '^!?[^/!\\s]' },
  retryCause: { type: 'string', pattern: '^(?:exit:[1-9]\\d{0,2}(?:-[1-9]\\d{0,2})?|signal|timeout)$' },
} as const satisfies Record<string, Schema>;
