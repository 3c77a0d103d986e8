import { key, keyTable, older } from './key-table.ts';
import { defined, oneOrMore } from './shapes.ts';

export const resourceKeys = keyTable({
  what: '`resources`',
  path: 'tasks.NAME.resources',
  synonyms: { ram: 'memory', mem: 'memory', disk: 'storage', gpu: 'gpus', cpus: 'cpu' },
  keys: [
    key('cpu', 'number or quantity', defined('cpu'), 'Cores.', "the administrator's default"),
    key(
      'memory',
      'size or start..ceiling',
      defined('sizeRange'),
      'Memory; a run that was out of memory is tried again with more, up to the ceiling.',
      "the administrator's default",
    ),
    key(
      'storage',
      'size',
      defined('size'),
      'Room for what the task writes, on top of what it inherits.',
      "the administrator's default",
    ),
    key('gpus', 'whole number', { type: 'integer', minimum: 0, maximum: 1024 }, 'Whole GPUs.', '0'),
    key('vram', 'size', defined('size'), 'Memory of each GPU; picks the machines.', 'any'),
    older('nvidia.com/gpu', 'gpus', { type: ['integer', 'string'] }),
  ],
});

export const timeoutKeys = keyTable({
  what: '`timeout`',
  path: 'tasks.NAME.timeout',
  keys: [
    key('run', 'duration', defined('duration'), 'Of running, for each attempt.', '24h'),
    key(
      'queue',
      'duration',
      defined('duration'),
      'Of waiting, from the moment the task is ready.',
      'without end',
    ),
  ],
});

export const retriesKeys = keyTable({
  what: '`retries`',
  path: 'tasks.NAME.retries',
  required: ['max'],
  synonyms: { limit: 'max', count: 'max', attempts: 'max' },
  hints: { attempts: 'Write `max`, the tries after the first.' },
  keys: [
    key('max', 'whole number', { type: 'integer', minimum: 0, maximum: 100 }, 'Tries after the first.'),
    key(
      'on',
      'cause or list of causes',
      oneOrMore(defined('retryCause'), 1),
      '`exit:N`, `exit:A-B`, `signal`, `timeout`.',
      'any exit code and any signal',
    ),
    key('backoff', 'duration', defined('duration'), 'The first pause; it grows to 5 minutes.', '10s'),
  ],
});
