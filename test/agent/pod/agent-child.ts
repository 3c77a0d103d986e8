import { runPod, type PodOptions } from '../../../src/agent/pod/main.ts';
import { quietLog } from '../memory-door.ts';

// The agent as a process of its own, which a test can kill; the places are its argument.
const options: Omit<PodOptions, 'term' | 'log'> = JSON.parse(process.argv[2] ?? '');
const term = new AbortController();
process.on('SIGTERM', () => term.abort());
process.exit(await runPod({ ...options, term: term.signal, log: quietLog }));
