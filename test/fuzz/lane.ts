import { createCaseRandom, type Random } from '../random.ts';

/**
 * What a lane runs: few cases in `npm test`, all of them in `npm run test:fuzz`.
 *
 *     AME_FUZZ_SECONDS=180 npm run test:fuzz        all lanes together in about so much time
 *     AME_FUZZ_SEED=7 AME_FUZZ_CASE=4711 npm run test:fuzz -- files      one case again
 */
export type Lane = {
  readonly name: string;
  /** Cases in `npm test`, which are the fewest in `test:fuzz` however short its time is, and the most there. */
  readonly few: number;
  readonly all: number;
  /** Of the time, where it is bounded; all lanes together have 1. */
  readonly share: number;
};

/** The run of a lane. In `npm test` the seed is fixed: what is green stays green until the code changes. */
export async function runLane(
  { name, few, all, share }: Lane,
  tryCase: (random: Random, index: number) => void | Promise<void>,
): Promise<number> {
  const whole = process.env['AME_FUZZ'] === 'all';
  const seed = Number(process.env['AME_FUZZ_SEED'] ?? (whole ? Date.now() % 1_000_000_007 : 1));
  const only = process.env['AME_FUZZ_CASE'];
  const seconds = Number(process.env['AME_FUZZ_SECONDS'] ?? Number.POSITIVE_INFINITY) * share;
  if (whole) console.log(`${name}: seed ${seed}`);
  const [from, to] = only === undefined ? [0, whole ? all : few] : [Number(only), Number(only) + 1];
  const until = performance.now() + seconds * 1_000;
  let index = from;
  for (; index < to && (index - from < few || performance.now() < until); index += 1) {
    try {
      await tryCase(createCaseRandom(seed, index), index);
    } catch (error) {
      const again = `AME_FUZZ_SEED=${seed} AME_FUZZ_CASE=${index} npm run test:fuzz -- ${name}`;
      throw new Error(`case ${index} of seed ${seed} failed. Again: ${again}\n${String(error)}`, {
        cause: error,
      });
    }
  }
  if (whole) console.log(`${name}: ${index - from} cases`);
  return index - from;
}
