import { readdir, readFile } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../../src/config.ts';
import { neededRights } from '../../src/doctor/cluster/rights.ts';

const root = join(import.meta.dirname, '../../deploy/kubernetes');

const Manifest = z.looseObject({
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }).loose().optional(),
});
type Manifest = z.infer<typeof Manifest>;
let manifests: readonly Manifest[];

beforeAll(async () => {
  const paths = (await readdir(root, { recursive: true })).filter((path) => path.endsWith('.yaml'));
  const texts = await Promise.all(paths.map((path) => readFile(join(root, path), 'utf8')));
  manifests = texts
    .flatMap((text) => parseAllDocuments(text).map((document): unknown => document.toJS()))
    .map((document) => Manifest.parse(document));
});

function find<T>(shape: z.ZodType<T>, kind: string, name: string, namespace?: string): T {
  const found = manifests.find(
    ({ kind: is, metadata }) =>
      is === kind && metadata?.name === name && (namespace === undefined || metadata.namespace === namespace),
  );
  return shape.parse(found);
}

const Rules = z.object({
  rules: z.array(
    z.object({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
  ),
});

test('the Role grants what AME needs and nothing else', () => {
  const { rules } = find(Rules, 'Role', 'ame');
  const granted = rules.flatMap(({ apiGroups, resources, verbs }) =>
    resources.map((resource) => ({ group: apiGroups.join(), resource, verbs })),
  );
  expect(granted).toEqual(neededRights);
});

test('the only right beyond the work namespace is to look at nodes', () => {
  const roles = manifests.filter(({ kind }) => kind === 'ClusterRole').map((role) => Rules.parse(role).rules);
  expect(roles).toEqual([[{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list'] }]]);
  expect(
    find(z.looseObject({ metadata: z.object({ namespace: z.string() }) }), 'Role', 'ame').metadata,
  ).toEqual(expect.objectContaining({ namespace: 'ame-work' }));
});

test('what is no secret is a configuration that AME reads', () => {
  const { data } = find(z.object({ data: z.record(z.string(), z.string()) }), 'ConfigMap', 'ame');
  expect(parseConfig(data).kubernetes).toMatchObject({
    namespace: 'ame-work',
    agentUrl: 'http://ame-agent.ame.svc:8081',
    agentPort: 8081,
    agentBind: '0.0.0.0',
  });
});

test('the image is the published one of this version, which the agent comes from by default', () => {
  const Images = z.object({ images: z.tuple([z.object({ newName: z.string(), newTag: z.string() })]) });
  const [image] = manifests.flatMap((each) => Images.safeParse(each).data?.images ?? []);
  expect(`${image?.newName}:${image?.newTag}`).toBe(
    parseConfig({ AME_EXECUTOR: 'kubernetes' }).kubernetes?.image,
  );
});

const Pod = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        securityContext: z.looseObject({
          runAsNonRoot: z.literal(true),
          seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
        }),
        containers: z.array(
          z.looseObject({
            securityContext: z.looseObject({
              allowPrivilegeEscalation: z.literal(false),
              capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
            }),
            readinessProbe: z.looseObject({}),
            resources: z.looseObject({
              requests: z.looseObject({ memory: z.string() }),
              limits: z.looseObject({ memory: z.string() }),
            }),
          }),
        ),
      }),
    }),
  }),
});

test.each(['Deployment', 'StatefulSet'])(
  'a %s passes the restricted level, with probes and limits',
  (kind) => {
    const found = manifests.filter((each) => each.kind === kind);
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) Pod.parse(each);
  },
);

test('namespaces hold pods to the restricted level', () => {
  const namespaces = manifests.filter(({ kind }) => kind === 'Namespace');
  expect(namespaces.map(({ metadata }) => metadata?.name)).toEqual(['ame', 'ame-work']);
  for (const { metadata } of namespaces)
    expect(metadata).toHaveProperty(['labels', 'pod-security.kubernetes.io/enforce'], 'restricted');
});

const Peer = z.looseObject({
  ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).default([]) }).optional(),
});
const Policy = z.object({
  spec: z.object({
    podSelector: z.record(z.string(), z.unknown()),
    policyTypes: z.array(z.string()),
    ingress: z.array(z.unknown()).optional(),
    egress: z
      .array(
        z.object({
          to: z.array(Peer),
          ports: z.array(z.object({ protocol: z.string(), port: z.number() })).optional(),
        }),
      )
      .optional(),
  }),
});

/** Whether a task may open a connection to a port of an address by the policy's blocks of addresses. */
function isOpen(address: string, to: number): boolean {
  const { egress = [] } = find(Policy, 'NetworkPolicy', 'tasks').spec;
  const rules = egress.filter(({ ports }) => ports?.some(({ port }) => port === to) ?? true);
  const blocks = rules.flatMap((rule) => rule.to.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock] : [])));
  return blocks.some(({ cidr, except }) => within([cidr], address) && !within(except, address));
}

function within(cidrs: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [net = '', bits] = cidr.split('/');
    // Node holds every IPv4 address to be within ::/0; a cluster does not.
    if (isIPv6(net) !== isIPv6(address)) continue;
    list.addSubnet(net, Number(bits), isIPv6(net) ? 'ipv6' : 'ipv4');
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

test.each([
  ['140.82.121.4', true],
  ['2606:50c0::1', true],
  ['10.96.0.1', false],
  ['172.20.0.1', false],
  ['192.168.1.1', false],
  ['100.64.0.1', false],
  ['169.254.169.254', false],
  ['fd00:10:96::1', false],
  ['fe80::1', false],
  // Of NodeLocal DNSCache, for names alone.
  ['169.254.20.10', false],
])('a task reaches %s: %s', (address, open) => {
  expect(isOpen(address, 443)).toBe(open);
  expect(isOpen(address, 53)).toBe(open || address === '169.254.20.10');
});

test('of what is inside, tasks reach names and the agent’s door; nobody reaches them', () => {
  const { spec } = find(Policy, 'NetworkPolicy', 'tasks');
  expect(spec).toMatchObject({ podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress: [] });
  const inside = (spec.egress ?? []).filter(({ to }) => to.some(({ ipBlock }) => ipBlock === undefined));
  expect(inside.map(({ ports }) => ports?.map(({ port }) => port))).toEqual([[53, 53], [8081]]);
  expect(find(Policy, 'NetworkPolicy', 'postgres').spec.ingress).toEqual([
    expect.objectContaining({
      from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ame' } } }],
    }),
  ]);
});
