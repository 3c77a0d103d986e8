import { describeError } from '../log.ts';
import { sweepRetention, type RetentionDeps } from './retention.ts';

/** After a start, which has better things to do; then from the end of one pass to the next. */
const firstMs = 5 * 60_000;
const everyMs = 60 * 60_000;

/** Sweeps now and then until the signal. Whatever fails is tried again with the next pass. */
export async function runRetention(deps: RetentionDeps, signal: AbortSignal): Promise<void> {
  for (let pauseMs = firstMs; await pause(pauseMs, signal); pauseMs = everyMs) {
    try {
      const swept = await sweepRetention(deps, signal);
      if (Object.values(swept).some((count) => count > 0)) deps.log.info({ swept }, 'swept');
    } catch (error) {
      deps.log.warn({ error: describeError(error) }, 'sweep broke off');
    }
  }
}

/** False where the signal came first. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve(!signal.aborted);
    };
    const timer = setTimeout(finish, signal.aborted ? 0 : ms);
    signal.addEventListener('abort', finish, { once: true });
  });
}
