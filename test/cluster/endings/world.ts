import type { ClusterCircumstances } from '../../../src/core/outcome/cluster/rule.ts';
import type { ContainerFacts } from '../../../src/core/outcome/cluster-facts.ts';
import type { Images } from './attempt-job.ts';
import type { Bench, Moment } from './bench.ts';

/** What a scenario may use. */
export type World = {
  readonly bench: Bench;
  readonly images: Images;
  /** Opens another namespace, which is removed at the end. */
  readonly open: (suffix: string, labels?: { readonly [name: string]: string }) => Promise<Bench>;
  /** Host of a registry of bad answers that nodes reach; `null` where the nodes are on other machines. */
  readonly badRegistry: string | null;
  /** A node that pods may be tied to, and what makes its kubelet stop and go on. */
  readonly node: string;
  readonly freeze: ((what: 'freeze' | 'thaw') => Promise<void>) | null;
  /** Registers something to be undone at the end. */
  readonly undo: (action: () => Promise<unknown>) => void;
  readonly skip: (row: string, why: string) => void;
};

/** Makes the endings happen that its rows name, and records them. */
export type Scenario = {
  readonly rows: readonly string[];
  readonly play: (world: World) => Promise<void>;
};

/** What a fixture says beside the objects; what is missing is that of any attempt. */
export type Beside = {
  readonly circumstances?: Partial<ClusterCircumstances>;
  /** Why this one was written by hand. */
  readonly made?: string;
};

export function isOver({ facts }: Moment): boolean {
  return facts.pod?.phase === 'Failed' || facts.pod?.phase === 'Succeeded';
}

export function taskRuns({ facts }: Moment): boolean {
  return facts.pod?.task?.state === 'running' && facts.pod.agent?.state === 'running' && !facts.pod.deleting;
}

export function waitsFor(...reasons: readonly string[]): (moment: Moment) => boolean {
  return ({ facts }) =>
    [facts.pod?.agent, facts.pod?.task].some(
      (container) => container?.state === 'waiting' && reasons.includes(container.reason ?? ''),
    );
}

/** Ended so many times, and not started again yet. */
export function restarted(container: ContainerFacts | null | undefined, times: number): boolean {
  return container?.state !== undefined && container.state !== 'running' && container.restarts >= times;
}

export function unscheduled({ facts }: Moment): boolean {
  return facts.pod?.unscheduled?.reason === 'Unschedulable';
}

/** Repeats a look that cannot be watched, such as one at events. */
export async function eventually(look: () => Promise<boolean>, seconds = 60): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`not so within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Waits for a warning with this reason, and these words, about the attempt or its pod. */
export async function warned(bench: Bench, attempt: string, reason: string, words = ''): Promise<void> {
  await eventually(async () => {
    const list: { items: { reason: string; message: string; involvedObject: { name: string } }[] } =
      JSON.parse(await bench.kubectl(['get', 'events', '-o', 'json']));
    return list.items.some(
      (event) =>
        event.reason === reason &&
        event.involvedObject.name.startsWith(attempt) &&
        event.message.includes(words),
    );
  });
}
