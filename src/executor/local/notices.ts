import type { AttemptOrder } from '../../core/attempt.ts';

/**
 * What a task asked for that local processes do not get. The texts are the same for every task that has the
 * same lack, so that a run can say each once.
 */
export function localNotices(order: AttemptOrder, gpusOfMachine: number): readonly string[] {
  const { resources, image } = order;
  const notices: string[] = [];
  const asked = [resources.cpu, resources.memory, resources.storage, resources.vram];
  if (asked.some((resource) => resource !== null)) {
    notices.push(
      'Tasks run as local processes here: cpu, memory, storage and vram are recorded but not enforced.',
    );
  }
  if (image !== null) {
    notices.push(
      'Tasks run as local processes here: images are not used, commands find what this machine has installed.',
    );
  }
  const gpus = resources.gpus ?? 0;
  if (gpus > gpusOfMachine) {
    const has = gpusOfMachine === 0 ? 'no GPU' : `only ${gpusOfMachine} GPU${gpusOfMachine === 1 ? '' : 's'}`;
    notices.push(`This machine has ${has}: a task that asks for more runs with what there is.`);
  }
  return notices;
}
