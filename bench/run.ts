import { parseArgs } from 'node:util';
import { benchAck } from './ack.ts';
import { benchCold } from './cold.ts';
import { benchFanOut } from './fan-out.ts';
import type { BenchOptions, Figures } from './figures.ts';
import { benchGithubCalls } from './github-calls.ts';
import { benchHistory } from './history.ts';
import { benchKubernetes } from './kubernetes.ts';
import { benchLogs } from './logs.ts';
import { benchSchedules } from './schedules.ts';
import { benchSnapshot } from './snapshot.ts';
import { benchSoak } from './soak.ts';
import { benchStart } from './start.ts';
import { writeTable } from './table.ts';

const benches: Readonly<Record<string, (options: BenchOptions) => Promise<Figures>>> = {
  ack: benchAck,
  start: benchStart,
  'fan-out': benchFanOut,
  snapshot: benchSnapshot,
  logs: benchLogs,
  history: benchHistory,
  cold: benchCold,
  schedules: benchSchedules,
  'github-calls': benchGithubCalls,
  kubernetes: benchKubernetes,
  soak: benchSoak,
};

/**
 * `npm run bench -- [name…]`: runs these benchmarks, or all but the soak, each of which prints one JSON object last.
 * `--peers` runs other programs beside them where they can be installed; `--write` puts the figures into
 * docs/performance.md; `--short` does a small part of the work, for trying them out.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
  },
});
if (values.write && values.short) throw new Error('figures of a short run are not written');
const all = Object.keys(benches).filter((name) => {
  // Ten minutes of its own.
  if (name === 'soak') return false;
  if (name !== 'kubernetes' || process.env['KUBECONFIG']) return true;
  console.error('skipped: kubernetes, because KUBECONFIG names no cluster');
  return false;
});
for (const name of positionals.length === 0 ? all : positionals) {
  const bench = benches[name];
  if (!bench) {
    console.error(`there is no benchmark ${name}; there is ${Object.keys(benches).join(', ')}`);
    process.exitCode = 2;
    continue;
  }
  const figures = await bench({ peers: values.peers, short: values.short });
  if (values.write) await writeTable(figures);
  console.log(JSON.stringify({ ...figures, peers: figures.peers ?? {} }));
}
