import type { BodyClock } from './body.ts';

/** Milliseconds that a question waits for its answer before it hears that there is none yet. Proxies cut after 60 s. */
export const answerWithinMs = 20_000;
/** Milliseconds that an answer waits for who asked: it holds values of secrets. */
const keptMs = 60_000;

/**
 * Answers that may take minutes, by key: who asks hears in time that there is none yet, and asks again for the same
 * one, which is worked out once meanwhile. Null: not yet.
 */
export function createLongAnswers<Answer>(
  clock: BodyClock,
): (key: number, work: () => Promise<Answer>) => Promise<Answer | null> {
  const underWay = new Map<number, Promise<Answer>>();

  function begin(key: number, work: () => Promise<Answer>): Promise<Answer> {
    const answer = work();
    underWay.set(key, answer);
    const drop = (): void => {
      clock.after(keptMs, () => {
        if (underWay.get(key) === answer) underWay.delete(key);
      });
    };
    answer.then(drop, drop);
    return answer;
  }

  return async (key, work) => {
    const answer = underWay.get(key) ?? begin(key, work);
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const cancel = clock.after(answerWithinMs, () => resolve(null));
    const first = await Promise.race([
      answer.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
      late,
    ]);
    cancel();
    if (first === null) return null;
    if (underWay.get(key) === answer) underWay.delete(key);
    if ('error' in first) throw first.error;
    return first.value;
  };
}
