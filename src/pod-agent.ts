import { runPod } from './agent/pod/main.ts';
import { readEnvironment } from './config.ts';
import { parsePodConfig } from './config/pod.ts';
import { createLog } from './log.ts';

// The agent of an attempt in its pod, as a program: `node agent.mjs`, and what it is told by its environment.

const term = new AbortController();
// Process 1 of a container hears only what it listens to.
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => term.abort());

const config = parsePodConfig(readEnvironment());
const code = await runPod({
  attempt: config.attempt,
  url: config.url,
  tokenFile: config.tokenFile,
  timeoutMs: config.timeoutSeconds * 1_000,
  graceMs: config.graceSeconds * 1_000,
  storeMs: config.storeSeconds * 1_000,
  reachMs: config.reachSeconds * 1_000,
  term: term.signal,
  log: createLog(config.logLevel),
});
// Connections that are kept alive, and the walking thread, would hold the process.
process.exit(code);
