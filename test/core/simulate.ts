/** Plays one schedule again and says what happened: its seed. */
import { simulate } from './simulator.ts';

const seed = Number(process.argv[2]);
try {
  const { trace } = simulate(seed, { traced: true });
  process.stdout.write(`${trace.join('\n')}\n`);
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
  process.exitCode = 1;
}
