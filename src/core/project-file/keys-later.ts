import type { LaterKey } from './key-table.ts';

const planned = {
  'kind, version and manager of the Python environment': ['python'],
  'parameters and variants of a run': ['params', 'matrix', 'max_parallel', 'sweep'],
  'named and versioned data': ['datasets', 'models', 'inputs', 'outputs', 'data'],
  'contracts of a task': ['kind'],
  'results and gates': ['metrics', 'report', 'expect', 'warn', 'plots'],
  'skipping what has not changed': ['cache'],
  'resuming what was interrupted': ['checkpoint'],
  'how models are compared': ['benchmarks', 'io', 'against'],
  'serving and releases': ['endpoint', 'promote', 'traffic'],
  'outside tools and recipes': ['requires', 'uses', 'with', 'bind', 'templates'],
  'several projects in one repository': ['projects', 'watch', 'images'],
  'notebooks, messages, approvals and shared defaults': [
    'notebook',
    'notify',
    'environments',
    'defaults',
    'visibility',
  ],
  'overriding what AME does around a command': ['setup', 'shell', 'workdir', 'fetch', 'collect'],
  'backfills in parts': ['shards'],
} as const;

/** Names that are kept free, in a project and in its tasks alike. */
export const laterKeys: readonly LaterKey[] = Object.entries(planned).flatMap(([description, names]) =>
  names.map((name): LaterKey => ({ name, availability: 'later', description })),
);
