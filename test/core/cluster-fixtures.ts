import { readdirSync, readFileSync } from 'node:fs';
import type { ClusterCircumstances } from '../../src/core/outcome/cluster/rule.ts';
import type { PodLogAnswer } from '../../src/core/outcome/last-words.ts';
import type { ClusterFacts } from '../../src/core/outcome/cluster-facts.ts';
import {
  factsOf,
  type KubernetesEvent,
  type KubernetesJob,
  type KubernetesPod,
} from '../../src/executor/kubernetes/observe.ts';

/** What a cluster showed of one attempt, as it was recorded, or as it was made up where no cluster would show it. */
export type ClusterFixture = {
  readonly row: string;
  readonly recordedAt: string;
  /** Why it was written by hand. */
  readonly made?: string;
  readonly circumstances?: Partial<ClusterCircumstances>;
  readonly job: KubernetesJob | null;
  readonly pods: readonly KubernetesPod[];
  readonly events: readonly KubernetesEvent[];
  /** What came of asking for the logs of its pod. */
  readonly log?: readonly PodLogAnswer[];
};

const directory = 'fixtures/kubernetes';

/** All of them, by row. */
export function readClusterFixtures(): ReadonlyMap<string, ClusterFixture> {
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
  return new Map(
    names.toSorted().map((name) => {
      const fixture: ClusterFixture = JSON.parse(readFileSync(`${directory}/${name}`, 'utf8'));
      return [name.replace('.json', ''), fixture];
    }),
  );
}

export function fixtureFacts({ job, pods, events }: ClusterFixture): ClusterFacts {
  return factsOf(job, pods, events);
}

/** Those of the fixture, `later` seconds after it was recorded. */
export function fixtureCircumstances(
  { circumstances, recordedAt }: ClusterFixture,
  later = 0,
  room: ClusterCircumstances['room'] = null,
): ClusterCircumstances {
  return {
    asked: {
      cpu: { millis: 1000, limited: false },
      memory: { bytes: 2 * 2 ** 30, ceilingBytes: 16 * 2 ** 30 },
      storageBytes: 10 * 2 ** 30,
      gpus: 0,
      vramMib: null,
    },
    image: 'registry.example/team/image:1',
    room,
    unschedulableAfterSeconds: 900,
    knownSecrets: [],
    ...circumstances,
    now: new Date(Date.parse(recordedAt) + later * 1000),
  };
}
