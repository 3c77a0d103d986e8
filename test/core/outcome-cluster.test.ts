import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { observeCluster, seeCluster } from '../../src/core/outcome/cluster.ts';
import { troubleOf } from '../../src/core/outcome/cluster/image.ts';
import type { ClusterCircumstances } from '../../src/core/outcome/cluster/rule.ts';
import { clusterRules } from '../../src/core/outcome/cluster/rules.ts';
import { fixtureCircumstances, fixtureFacts, readClusterFixtures } from './cluster-fixtures.ts';

const fixtures = readClusterFixtures();

/** What each fixture means at the moment when it was recorded: the rule, what is observed, and as what it ends. */
const meanings: Readonly<Record<string, string>> = {
  'agent-crashes-first': 'agent-restarts pending',
  'agent-disk-full': 'agent-disk-full over agent_failed',
  'agent-door-unreachable-again': 'agent-door-unreachable over door_unreachable',
  'agent-ends-again': 'agent-ends-again over agent_failed',
  'agent-failed': 'agent-failed over agent_failed',
  'agent-image-misnamed': 'agent-image over start_failed',
  'agent-image-unreachable': 'image-tried-again pending',
  'agent-out-of-memory': 'agent-out-of-memory over agent_out_of_memory',
  'agent-refused': 'agent-refused over agent_failed',
  'agent-restarts-while-task-runs': '- running',
  'agent-restore-failed': 'agent-restore-failed over restore_failed',
  'agent-spoke': 'agent-spoke over agent_failed',
  'agent-start-failed': 'agent-start-failed over start_failed',
  'agent-store-failed': 'agent-store-failed over store_failed',
  'agent-uploads': '- running',
  'being-made': 'being-made pending',
  'child-out-of-memory': 'child-out-of-memory over agent_failed',
  'clock-in-the-future': '- running',
  'clock-in-the-past': '- running',
  'command-ended-well': 'command-ended-well over agent_failed',
  'command-failed': 'command-failed over exit',
  'command-not-executable': 'command-not-executable over not_executable',
  'command-not-found': 'command-not-found over command_not_found',
  'command-segfault': 'command-signal over signal',
  'command-terminated-itself': 'command-signal over signal',
  'config-map-missing': 'config-settles pending',
  'container-not-made': 'cannot-start-yet pending',
  'container-unknown-after-deletion': 'pod-deleted over deleted',
  'container-unknown': 'container-unknown over lost',
  'deadline-of-job-over': 'deadline over timeout',
  'deadline-of-job': 'deadline running timeout',
  'deadline-of-pod': 'deadline over timeout',
  'deadline-while-pulling': 'deadline-waiting over queue_timeout',
  'deadline-while-unscheduled': 'deadline-waiting over queue_timeout',
  'deleted-while-pulling': 'job-deleted pending',
  'deleted-while-unscheduled': 'pod-deleted over deleted',
  'deleted-while-uploading-over': 'job-deleted over deleted',
  'deleted-while-uploading': 'job-deleted running deleted',
  'drained-with-0': 'drained over drained',
  drained: 'drained running drained',
  'ended-without-a-word': 'ended-without-a-word over lost',
  'entry-failed': 'entry-failed over start_failed',
  'evicted-for-another-cause': 'evicted over evicted',
  gated: 'gated pending',
  'gpu-runtime-fails': 'start-error over start_failed',
  'image-being-fetched': 'being-made pending',
  'image-does-not-run': 'image-does-not-run over image_broken',
  'image-for-other-machines-on-exec': 'image-does-not-run over image_broken',
  'image-for-other-machines': 'image-broken over image_broken',
  'image-forbidden': 'image-refused over image_refused',
  'image-layer-broken': 'image-broken over image_broken',
  'image-misnamed': 'image-misnamed over image_missing',
  'image-missing-on-1-29': 'image-missing over image_missing',
  'image-missing': 'image-missing over image_missing',
  'image-node-disk-full': 'image-tried-again pending',
  'image-not-there': 'image-not-there over image_missing',
  'image-private': 'image-refused over image_refused',
  'image-rate-limited': 'image-tried-again pending',
  'image-refused-by-docker-hub': 'image-refused over image_refused',
  'image-registry-failing': 'image-tried-again pending',
  'image-unreachable': 'image-tried-again pending',
  'job-complete-without-pod': 'job-complete-without-pod over lost',
  'job-deleted-foreground': 'job-deleted running deleted',
  'job-deleted-over': 'job-deleted over deleted',
  'job-deleted': 'job-deleted running deleted',
  'killed-by-the-kernel-alone': 'out-of-memory over out_of_memory',
  'killed-from-outside': 'killed-from-outside over lost',
  'limit-range': 'limit-range over quota',
  'memory-too-small': 'memory-too-small over out_of_memory',
  'never-let-go': 'never-let-go over agent_failed',
  'no-pod-yet': 'no-pod-yet pending',
  'no-shell-with-containerd-2': 'no-shell over no_shell',
  'no-shell': 'no-shell over no_shell',
  'node-back': 'node-tainted over drained',
  'node-disk-low': 'node-short over evicted',
  'node-gone': 'node-gone over node_lost',
  'node-lost-job-failed': 'node-lost over node_lost',
  'node-lost-said': 'node-lost-said over node_lost',
  'node-lost': 'node-lost over node_lost',
  'node-memory-low-leaving': 'node-memory-low running evicted',
  'node-memory-low': 'node-memory-low over evicted',
  'node-not-ready': '- running',
  'node-out-of-memory': 'node-out-of-memory over node_out_of_memory',
  'node-pids-low': 'node-short over evicted',
  'node-refused-device': 'node-refused over start_failed',
  'node-refused': 'node-refused over start_failed',
  'node-shut-down': 'node-shut-down over drained',
  'node-shuts-down': 'node-shut-down running drained',
  'node-silent': '- running',
  'node-tainted': 'node-tainted over drained',
  'node-was-full': 'node-was-full over evicted',
  'not-placed-yet': 'not-placed-yet pending',
  'out-of-memory-of-all': 'out-of-memory over out_of_memory',
  'out-of-memory': 'out-of-memory over out_of_memory',
  'phase-unknown': '- running',
  'pod-deleted-over': 'pod-deleted over deleted',
  'pod-deleted': 'pod-deleted running deleted',
  'pod-log': 'agent-failed over agent_failed',
  'pod-log-forbidden': 'agent-failed over agent_failed',
  'pod-log-gone': 'agent-failed over agent_failed',
  'pod-log-late': '- running',
  'pod-log-node-away': 'being-made pending',
  'pod-log-node-gone': 'being-made pending',
  'pod-log-none': 'image-tried-again pending',
  'pod-not-made': 'pod-not-made pending',
  'pod-refused': 'pod-refused over admission_refused',
  'pod-security': 'pod-security over admission_refused',
  'pod-vanished': 'job-failed-without-pod over lost',
  'policy-refuses': 'policy-refuses over admission_refused',
  'preempted-by-node': 'preempted-by-node over preempted',
  'preempted-over': 'preempted over preempted',
  preempted: 'preempted running preempted',
  'priority-class-missing': 'class-missing over bad_config',
  'queue-took-back': 'queue-took-back running preempted',
  'quota-status-unknown': 'rules-not-ready pending',
  'quota-too-small': 'quota-too-small over quota',
  'quota-unspecified': 'quota-unspecified over admission_refused',
  'quota-used-up': 'quota-used-up pending',
  'rules-not-ready': 'rules-not-ready pending',
  runs: '- running',
  'runtime-class-missing': 'class-missing over bad_config',
  'runtime-missing': 'cannot-start-yet pending',
  'secret-key-missing': 'config-settles pending',
  'secret-missing': 'config-settles pending',
  'secret-on-its-way': 'secret-on-its-way pending',
  'service-account-missing': 'service-account-missing pending',
  'start-error': 'start-error over start_failed',
  'storage-full': 'storage-full over storage_full',
  suspended: 'suspended pending',
  'taken-for-a-new-reason': 'taken-by-node running evicted',
  'task-died': 'killed-from-outside over lost',
  'token-missing': 'cannot-start-yet pending',
  'unschedulable-cpu': 'no-room-now pending',
  'unschedulable-gpu': 'no-room-now pending',
  'unschedulable-memory': 'no-room-now pending',
  'unschedulable-selector': 'no-room-now pending',
  'unschedulable-storage': 'no-room-now pending',
  'unschedulable-taint': 'no-room-now pending',
  'unschedulable-vram': 'no-room-now pending',
  'user-is-root': 'user-is-root over bad_config',
  'webhook-away': 'webhook-away pending',
  'webhook-refuses': 'webhook-refuses over admission_refused',
  'workspace-full': 'workspace-full over storage_full',
};

test('every fixture means what the table says', () => {
  const seen = [...fixtures].map(([row, fixture]) => {
    const { rule, observation } = seeCluster(fixtureFacts(fixture), fixtureCircumstances(fixture));
    const ending =
      observation.kind === 'over'
        ? observation.ending
        : observation.kind === 'running'
          ? observation.taken
          : undefined;
    return [row, [rule ?? '-', observation.kind, ending?.class].filter(Boolean).join(' ')];
  });
  expect(Object.fromEntries(seen)).toEqual(meanings);
});

/** Rules that no recorded fixture shows; fixtures/kubernetes/README.md says why of each. */
const shownByHand = [
  'agent-start-failed',
  'container-unknown',
  'ended-without-a-word',
  'evicted',
  'node-lost-said',
  'node-memory-low',
  'node-out-of-memory',
  'node-short',
  'node-shut-down',
  'pod-not-made',
  'preempted-by-node',
  'rules-not-ready',
  'secret-on-its-way',
  'taken-by-node',
];

test('at least forty endings were recorded, and what was not says why', () => {
  const shown = [...fixtures].map(([row, { made }]) => {
    const [rule = '', ...means] = (meanings[row] ?? '').split(' ');
    return { rule, made, isEnding: / over | running [a-z]/u.test(` ${means.join(' ')}`) };
  });
  const recorded = shown.filter(({ made }) => made === undefined);
  const endings = new Set(recorded.filter(({ isEnding }) => isEnding).map(({ rule }) => rule));
  expect(endings.size).toBeGreaterThanOrEqual(40);
  const seen = new Set(recorded.map(({ rule }) => rule));
  const byHand = shown.filter(({ made }) => made !== undefined);
  const never = new Set(byHand.map(({ rule }) => rule).filter((rule) => !seen.has(rule)));
  expect([...never].toSorted()).toEqual(shownByHand);
  const readme = readFileSync('fixtures/kubernetes/README.md', 'utf8');
  for (const rule of never) expect(readme).toMatch(new RegExp(`^\\| \`${rule}\` \\|`, 'mu'));
  for (const { made } of byHand) expect(made).toMatch(/\w{3,} \w+/u);
});

const room = {
  nodes: 2,
  largest: { cpuMillis: 2000, memoryBytes: 2 ** 33, storageBytes: 2 ** 38, gpus: 4, vramMib: 24_576 },
  fits: false,
};

type Later = {
  readonly row: string;
  readonly after?: number;
  readonly room?: ClusterCircumstances['room'];
  readonly means: string;
  readonly says: RegExp;
};

const later: readonly Later[] = [
  { row: 'secret-missing', after: 61, means: 'bad-config over', says: /secret "no-such-secret" not found/u },
  {
    row: 'secret-key-missing',
    after: 61,
    means: 'secret-missing over',
    says: /`HUB_TOKEN`.*ame secret set HUB_TOKEN/u,
  },
  { row: 'config-map-missing', after: 61, means: 'bad-config over', says: /configmap "none" not found/u },
  { row: 'runtime-missing', after: 61, means: 'runtime-missing over', says: /AME_K8S_RUNTIME_CLASS/u },
  { row: 'token-missing', after: 60, means: 'cannot-start-yet pending', says: /ame-attempt-none/u },
  { row: 'token-missing', after: 1801, means: 'cannot-start over', says: /for 30 minutes/u },
  { row: 'container-not-made', after: 1801, means: 'cannot-start over', says: /deadline exceeded/u },
  {
    row: 'image-unreachable',
    after: 601,
    means: 'image-unreachable over',
    says: /for 1\d minutes.*no such host/u,
  },
  { row: 'agent-image-unreachable', after: 601, means: 'image-unreachable over', says: /^AME's own image/u },
  { row: 'image-rate-limited', after: 500, means: 'image-tried-again pending', says: /429 Too Many/u },
  { row: 'deleted-while-pulling', after: 90, means: 'job-deleted pending', says: /deleted its Job/u },
  {
    row: 'deleted-while-pulling',
    after: 130,
    means: 'never-began-to-leave over',
    says: /before it began.* for 2 minutes\.$/u,
  },
  { row: 'pod-deleted', after: 60, means: 'pod-deleted running', says: /deleted its pod/u },
  { row: 'pod-deleted', after: 130, means: 'never-left over', says: /to be gone by 2\d{3}-.*Z/u },
  { row: 'node-not-ready', after: 3600, means: '- running', says: /^$/u },
  {
    row: 'unschedulable-cpu',
    room,
    means: 'no-node-fits pending',
    says: /asks for 500 cores, and the largest has 2 cores\..*after 15 minutes/u,
  },
  { row: 'unschedulable-cpu', room, after: 700, means: 'no-node-fits pending', says: /largest/u },
  {
    row: 'unschedulable-cpu',
    room,
    after: 901,
    means: 'unschedulable over',
    says: /largest has 2 cores.*within 15 minutes/u,
  },
  {
    row: 'unschedulable-cpu',
    after: 9001,
    means: 'no-room-now pending',
    says: /scheduler says: 0\/2 nodes.*Insufficient cpu\.$/u,
  },
  {
    row: 'unschedulable-cpu',
    room: { ...room, fits: true },
    after: 9001,
    means: 'no-room-now pending',
    says: /busy or closed/u,
  },
  {
    row: 'unschedulable-memory',
    room,
    means: 'no-node-fits pending',
    says: /40 TiB of memory, and the largest has 8 GiB/u,
  },
  {
    row: 'unschedulable-storage',
    room,
    means: 'no-node-fits pending',
    says: /900 TiB of storage, and the largest has 256 GiB/u,
  },
  {
    row: 'unschedulable-gpu',
    room,
    means: 'no-node-fits pending',
    says: /asks for 64 GPUs, and the largest has 4\b/u,
  },
  {
    row: 'unschedulable-vram',
    room,
    means: 'no-node-fits pending',
    says: /asks for 1 GPU with 80 GiB, and the largest has 24 GiB/u,
  },
  {
    row: 'unschedulable-vram',
    room: { ...room, largest: { ...room.largest, gpus: 0, vramMib: null } },
    means: 'no-node-fits pending',
    says: /1 GPU, and the largest has none/u,
  },
  {
    row: 'unschedulable-selector',
    room,
    means: 'no-node-fits pending',
    says: /none that lets it in has all of that at once/u,
  },
  {
    row: 'unschedulable-taint',
    room: { ...room, nodes: 0 },
    after: 901,
    means: 'unschedulable over',
    says: /no node that takes the pods of tasks/u,
  },
];

test.each(later)('$row after $after s: $means', ({ row, after = 0, room = null, means, says }) => {
  const fixture = fixtures.get(row);
  if (fixture === undefined) throw new Error(`there is no fixture ${row}`);
  const { rule, observation } = seeCluster(fixtureFacts(fixture), fixtureCircumstances(fixture, after, room));
  expect(`${rule ?? '-'} ${observation.kind}`).toBe(means);
  const words =
    observation.kind === 'pending'
      ? observation.why
      : observation.kind === 'over'
        ? observation.ending.reason
        : observation.kind === 'running'
          ? observation.taken?.reason
          : '';
  expect(words ?? '').toMatch(says);
});

/** `<fixture> after <seconds> with <secrets that AME has>`. */
const withSecrets: Readonly<Record<string, string>> = {
  'secret-key-missing after 0 with HUB_TOKEN': 'secret-on-its-way pending',
  'secret-key-missing after 300 with HUB_TOKEN': 'secret-on-its-way pending',
  'secret-key-missing after 300 with OTHER': 'secret-missing over',
  'secret-key-missing after 1801 with HUB_TOKEN': 'bad-config over',
  'secret-missing after 300 with OTHER': 'secret-on-its-way pending',
  'config-map-missing after 300 with OTHER': 'bad-config over',
};

test.each(Object.entries(withSecrets))('%s: %s', (what, means) => {
  const [row = '', after, secret = ''] = what.split(/ after | with /);
  const fixture = fixtures.get(row);
  if (fixture === undefined) throw new Error(`there is no fixture ${row}`);
  const known = { ...fixtureCircumstances(fixture, Number(after)), knownSecrets: [secret] };
  const { rule, observation } = seeCluster(fixtureFacts(fixture), known);
  expect(`${rule} ${observation.kind}`).toBe(means);
});

test('every rule is met by a fixture, and its name is its own', () => {
  const met = new Set(
    [...Object.values(meanings), ...later.map(({ means }) => means), ...Object.values(withSecrets)].map(
      (text) => text.split(' ')[0],
    ),
  );
  const ids = clusterRules.map(({ id }) => id);
  expect(ids.filter((id) => !met.has(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the messages say what was asked, what happened and what to do', () => {
  const said = (row: string): string => {
    const fixture = fixtures.get(row);
    if (fixture === undefined) throw new Error(`there is no fixture ${row}`);
    const observation = observeCluster(fixtureFacts(fixture), fixtureCircumstances(fixture));
    if (observation.kind === 'over') return observation.ending.reason;
    return observation.kind === 'pending' ? (observation.why ?? '') : '';
  };
  expect(said('out-of-memory')).toBe('It needed more than the 2 GiB of memory that it may use.');
  expect(said('workspace-full')).toContain('Raise `resources.storage`');
  expect(said('command-ended-well')).toBe(
    'The command ended with 0, but its agent did not report: what it left is lost.',
  );
  expect(said('quota-too-small')).toContain('`team`');
  expect(said('quota-too-small')).toMatch(/216Mi of requests\.memory, of which it grants 100Mi/u);
  expect(said('no-shell')).toContain('has no `sh`');
  expect(said('image-private')).toContain('AME_K8S_IMAGE_PULL_SECRETS');
  expect(said('pod-security')).toContain('violates PodSecurity "restricted:latest"');
});

test("the command's exit code is told where it is known, whatever the attempt ended of", () => {
  const codes = [
    'command-failed',
    'command-segfault',
    'agent-store-failed',
    'killed-from-outside',
    'agent-refused',
  ].map((row) => {
    const fixture = fixtures.get(row);
    if (fixture === undefined) throw new Error(`there is no fixture ${row}`);
    const observation = observeCluster(fixtureFacts(fixture), fixtureCircumstances(fixture));
    return observation.kind === 'over' ? [observation.ending.exitCode, observation.ending.signal] : null;
  });
  expect(codes).toEqual([
    [7, null],
    [139, 'SIGSEGV'],
    [0, null],
    [null, null],
    [null, null],
  ]);
});

test('a wrong clock of a node moves no start before the pod or after now', () => {
  for (const row of ['clock-in-the-future', 'clock-in-the-past']) {
    const fixture = fixtures.get(row);
    if (fixture === undefined) throw new Error(`there is no fixture ${row}`);
    const facts = fixtureFacts(fixture);
    const known = fixtureCircumstances(fixture);
    const observation = observeCluster(facts, known);
    if (observation.kind !== 'running') throw new Error(`${row} is ${observation.kind}`);
    expect(observation.startedAt.getTime()).toBeLessThanOrEqual(known.now.getTime());
    expect(observation.startedAt.getTime()).toBeGreaterThanOrEqual(facts.pod?.createdAt.getTime() ?? 0);
  }
});

// Messages of runtimes and registries that the cluster of the fixtures does not have.
test.each([
  [
    "pull access denied for team/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    'refused',
  ],
  [
    'failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://ghcr.io/token: 403 Forbidden',
    'refused',
  ],
  [
    'pulling from host 1.dkr.ecr.eu-west-1.amazonaws.com failed with status code [manifests x]: 403 Forbidden',
    'refused',
  ],
  ['no basic auth credentials', 'refused'],
  [
    'reading manifest 1 in quay.io/team/x: unauthorized: access to the requested resource is not authorized',
    'refused',
  ],
  ['failed to resolve reference "r/unauthorized/x:1": r/unauthorized/x:1: not found', 'missing'],
  ['reading manifest latest in docker.io/library/x: manifest unknown', 'missing'],
  ['manifest for registry/x:1 not found: manifest unknown: manifest unknown', 'missing'],
  ['Error response from daemon: No such image: x:1', 'missing'],
  ['no match for platform in manifest: not found', 'broken'],
  [
    'choosing image instance: no image found in manifest list for architecture arm64: does not match',
    'broken',
  ],
  [
    'failed to extract layer sha256:1: exit status 1: unpigz: skipping: <stdin>: corrupted -- invalid deflate data (gzip)',
    'broken',
  ],
  ['mismatched image rootfs and manifest layers', 'broken'],
  [
    'failed to copy: httpReadSeeker: failed open: unexpected status code https://x/blobs/1: 500 Internal Server Error',
    'away',
  ],
  ['toomanyrequests: You have reached your pull rate limit', 'away'],
  ['dial tcp: lookup registry.x on 10.0.0.1:53: no such host', 'away'],
  ['net/http: TLS handshake timeout', 'away'],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'away'],
  ['http: server gave HTTP response to HTTPS client', 'away'],
  ['write /var/lib/containerd/x: no space left on device', 'away'],
  ['something that nobody has seen before', 'away'],
])('%s: %s', (words, trouble) => {
  expect(troubleOf(words)).toBe(trouble);
});
