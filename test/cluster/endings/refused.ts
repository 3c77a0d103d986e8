import type { AttemptJob } from './attempt-job.ts';
import { kubectl } from './bench.ts';
import { startWebhook } from './webhook.ts';
import { warned, type Scenario } from './world.ts';

/** Attempts whose pod the cluster does not make: quotas, levels, policies, webhooks. */
export const refusedPods: readonly Scenario[] = [
  refused('pod-security', {
    container: { securityContext: { privileged: true, allowPrivilegeEscalation: true } },
  }),
  refused('priority-class-missing', { pod: { priorityClassName: 'no-such-class' } }),
  refused('runtime-class-missing', { pod: { runtimeClassName: 'no-such-class' } }),
  refused('service-account-missing', { pod: { serviceAccountName: 'nobody' } }),
  {
    rows: ['pod-refused'],
    play: async ({ bench, undo }) => {
      // What an administrator says of a runtime class, and the pod itself says otherwise.
      const name = `${bench.namespace}-elsewhere`;
      await kubectl(['apply', '-f', '-'], {
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: { name },
        handler: 'runc',
        scheduling: { nodeSelector: { pool: 'sandboxed' } },
      });
      undo(() => kubectl(['delete', 'runtimeclass', name]));
      const attempt = await bench.start({ pod: { runtimeClassName: name, nodeSelector: { pool: 'plain' } } });
      await warned(bench, attempt, 'FailedCreate', 'forbidden');
      const seen = await bench.until(attempt, ({ facts }) => facts.job !== null);
      await bench.record('pod-refused', attempt, seen);
    },
  },
  {
    rows: ['quota-too-small', 'quota-used-up'],
    play: async ({ open }) => {
      const tight = await open('quota');
      const hard = { 'requests.memory': '100Mi', pods: '4' };
      await tight.kubectl(['apply', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'team' },
        spec: { hard },
      });
      const large = await tight.start({ memory: '200Mi' });
      await warned(tight, large, 'FailedCreate', 'exceeded quota');
      await tight.record(
        'quota-too-small',
        large,
        await tight.until(large, ({ facts }) => facts.job !== null),
      );
      const first = await tight.start({ memory: '60Mi' });
      await tight.until(first, ({ facts }) => facts.pod !== null);
      const second = await tight.start({ memory: '60Mi' });
      await warned(tight, second, 'FailedCreate', 'exceeded quota');
      await tight.record(
        'quota-used-up',
        second,
        await tight.until(second, ({ facts }) => facts.job !== null),
      );
    },
  },
  {
    rows: ['quota-unspecified'],
    play: async ({ open }) => {
      const strict = await open('strict');
      const hard = { 'limits.cpu': '4' };
      await strict.kubectl(['apply', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'team' },
        spec: { hard },
      });
      const attempt = await strict.start({});
      await warned(strict, attempt, 'FailedCreate');
      await strict.record(
        'quota-unspecified',
        attempt,
        await strict.until(attempt, ({ facts }) => facts.job !== null),
      );
    },
  },
  {
    rows: ['limit-range'],
    play: async ({ open }) => {
      const ranged = await open('range');
      const limits = [{ type: 'Container', max: { memory: '100Mi' } }];
      await ranged.kubectl(['apply', '-f', '-'], {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'team' },
        spec: { limits },
      });
      const attempt = await ranged.start({ memory: '200Mi' });
      await warned(ranged, attempt, 'FailedCreate');
      await ranged.record(
        'limit-range',
        attempt,
        await ranged.until(attempt, ({ facts }) => facts.job !== null),
      );
    },
  },
  {
    rows: ['policy-refuses'],
    play: async ({ open, undo }) => {
      const ruled = await open('policy');
      const name = ruled.namespace;
      const policy = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
            ],
          },
          validations: [{ expression: 'false', message: 'pods need a cost centre' }],
        },
      };
      const binding = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name },
        spec: {
          policyName: name,
          validationActions: ['Deny'],
          matchResources: { namespaceSelector: only(name) },
        },
      };
      for (const object of [policy, binding]) await kubectl(['apply', '-f', '-'], object);
      undo(() => kubectl(['delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', name]));
      // A policy counts from a second or so after it was made on.
      for (let tries = 0; tries < 20; tries += 1) {
        const attempt = await ruled.start({});
        const made = await ruled.until(attempt, ({ facts }) => facts.pod !== null, 3).catch(() => null);
        if (made !== null) continue;
        await warned(ruled, attempt, 'FailedCreate');
        return await ruled.record(
          'policy-refuses',
          attempt,
          await ruled.until(attempt, ({ facts }) => facts.job !== null),
        );
      }
    },
  },
  {
    rows: ['webhook-refuses', 'webhook-away'],
    play: async ({ open, undo, badRegistry, skip }) => {
      if (badRegistry === null) return skip('webhook-refuses', 'the API server is on another machine');
      const hook = await startWebhook();
      undo(async () => hook.server.close());
      for (const [row, url, words] of [
        ['webhook-refuses', hook.url, 'denied the request'],
        ['webhook-away', 'https://127.0.0.1:9/', 'failed calling webhook'],
      ] as const) {
        const hooked = await open(row);
        const name = hooked.namespace;
        const object = {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingWebhookConfiguration',
          metadata: { name },
          webhooks: [
            {
              name: 'cost.example.com',
              clientConfig: { url, caBundle: hook.certificate },
              rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
              namespaceSelector: only(name),
              admissionReviewVersions: ['v1'],
              sideEffects: 'None',
              failurePolicy: 'Fail',
              timeoutSeconds: 2,
            },
          ],
        };
        await kubectl(['apply', '-f', '-'], object);
        undo(() => kubectl(['delete', 'validatingwebhookconfiguration', name]));
        for (let tries = 0; tries < 20; tries += 1) {
          const attempt = await hooked.start({});
          const made = await hooked.until(attempt, ({ facts }) => facts.pod !== null, 3).catch(() => null);
          if (made !== null) continue;
          await warned(hooked, attempt, 'FailedCreate', words);
          await hooked.record(row, attempt, await hooked.until(attempt, ({ facts }) => facts.job !== null));
          break;
        }
      }
    },
  },
];

function refused(row: string, spec: AttemptJob): Scenario {
  return {
    rows: [row],
    play: async ({ bench }) => {
      const attempt = await bench.start(spec);
      await warned(bench, attempt, 'FailedCreate');
      await bench.record(row, attempt, await bench.until(attempt, ({ facts }) => facts.job !== null));
    },
  };
}

function only(namespace: string): object {
  return { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
}
