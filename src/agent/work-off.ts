/**
 * Works off jobs, at most `limit` at a time; a job may add further ones, which come next. After the first failure
 * no other job begins, and once those under way have ended it is thrown.
 */
export async function workOff<Job>(
  limit: number,
  jobs: readonly Job[],
  work: (job: Job, add: (job: Job) => void) => Promise<void>,
): Promise<void> {
  const open = jobs.toReversed();
  const failures: unknown[] = [];
  let running = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const add = (job: Job) => void open.push(job);
  const step = () => {
    while (running < limit && open.length > 0 && failures.length === 0) {
      const job = open.pop();
      if (job === undefined) break;
      running += 1;
      work(job, add)
        .catch((error: unknown) => failures.push(error))
        .finally(() => {
          running -= 1;
          step();
        });
    }
    if (running > 0) return;
    if (failures.length > 0) reject(failures[0]);
    else resolve();
  };
  step();
  await promise;
}
