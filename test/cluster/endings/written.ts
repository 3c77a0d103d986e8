/** What nothing looks at and every object repeats: most of it is how the pod was to be. */
const leftOut = new Set([
  'managedFields',
  'generateName',
  'uid',
  'resourceVersion',
  'ownerReferences',
  'template',
  'command',
  'volumes',
  'volumeMounts',
  'securityContext',
  'tolerations',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'dnsPolicy',
  'schedulerName',
  'enableServiceLinks',
  'automountServiceAccountToken',
  'serviceAccount',
  'serviceAccountName',
  'manualSelector',
  'selector',
  'imageID',
  'containerID',
  'allocatedResources',
  'hostIPs',
  'podIPs',
]);

/**
 * The text of a fixture: every Kubernetes object on a line of its own, with neutral names for what belongs to the
 * machine it was recorded on. `registries` are hosts that images came from.
 */
export function written(fixture: object, registries: readonly string[]): string {
  const lines = Object.entries(fixture).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${valueText(value)}`,
  );
  const text = registries.reduce(
    (text, host) => text.replaceAll(host, 'registry.example'),
    `{\n${lines.join(',\n')}\n}\n`,
  );
  return text
    .replaceAll(/\b(?:127\.0\.0\.1|localhost):\d+/gu, 'registry.example')
    .replaceAll(/\bdefault-scheduler-[\w-]+/gu, 'default-scheduler')
    .replaceAll(/\b10\.\d+\.\d+\.(\d+)\b/gu, '192.0.2.$1');
}

function valueText(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return trimmed(value);
  return `[\n${value.map((item) => `    ${trimmed(item)}`).join(',\n')}\n  ]`;
}

function trimmed(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => (leftOut.has(key) ? undefined : inner)) ?? 'null';
}
