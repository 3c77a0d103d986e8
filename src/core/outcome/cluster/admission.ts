import { compareQuantities } from '../../quantity.ts';
import type { ClusterFacts } from '../cluster-facts.ts';
import type { ClusterRule } from './rule.ts';
import { named, quoted } from './words.ts';

/** Why a Job has no pod: words of its controller, which asks again and again. */
export const admissionRules: readonly ClusterRule[] = [
  {
    id: 'job-failed-without-pod',
    says: 'over',
    class: 'lost',
    shows: 'Job `Failed` or `FailureTarget`, no pod',
    message: ({ job, pod }) =>
      pod === null && job?.failed
        ? `Its pod is gone, and nobody has said why. Its Job says: ${quoted(job.failed.message || job.failed.reason)}`
        : null,
  },
  {
    id: 'job-complete-without-pod',
    says: 'over',
    class: 'lost',
    shows: 'Job `Complete`, no pod, no report of the agent',
    message: ({ job, pod }) =>
      pod === null && job?.complete
        ? 'Its pod is gone and is said to have ended well, but its agent did not report: what it left is lost.'
        : null,
  },
  {
    id: 'suspended',
    says: 'waits',
    class: null,
    shows: 'Job with `suspend: true`, no pod (a queue such as Kueue)',
    message: ({ job, pod }) =>
      pod === null && job?.suspended
        ? 'A queue of the cluster holds it back (its Job is suspended), or a person does.'
        : null,
  },
  {
    id: 'quota-too-small',
    says: 'over',
    class: 'quota',
    shows: 'event `FailedCreate`, `exceeded quota`, more requested than the quota grants in all',
    message: (facts) => {
      const quota = quotaOf(refusal(facts));
      const never = quota?.lines.filter(({ beyond }) => beyond) ?? [];
      if (quota === null || never.length === 0) return null;
      const parts = never.map(
        ({ what, requested, limited }) => `${requested} of ${what}, of which it grants ${limited} in all`,
      );
      return `It asks the quota ${named(quota.name)} of the namespace for ${parts.join(', and for ')}.`;
    },
  },
  {
    id: 'quota-used-up',
    says: 'waits',
    class: null,
    shows: 'event `FailedCreate`, `exceeded quota`, while others use it',
    message: (facts) => {
      const quota = quotaOf(refusal(facts));
      if (quota === null) return null;
      const parts = quota.lines.map(
        ({ what, requested, used, limited }) => `${what}: ${requested} asked, ${used} of ${limited} used`,
      );
      return `It waits until others leave room in the quota ${named(quota.name)} of the namespace (${parts.join('; ')}).`;
    },
  },
  {
    id: 'quota-unspecified',
    says: 'over',
    class: 'admission_refused',
    shows: 'event `FailedCreate`, `failed quota: … must specify`',
    message: (facts) =>
      told(facts, /failed quota/u, 'A quota of the namespace wants values that the pods of tasks do not set'),
  },
  {
    id: 'limit-range',
    says: 'over',
    class: 'quota',
    shows: 'event `FailedCreate`, a LimitRange: `maximum memory usage per Container is …`',
    message: (facts) =>
      told(
        facts,
        /(?:maximum|minimum) [\w./-]+ usage per|limit to request ratio per/u,
        'It asks for more, or less, than the namespace allows to one pod (a LimitRange)',
      ),
  },
  {
    id: 'pod-security',
    says: 'over',
    class: 'admission_refused',
    shows: 'event `FailedCreate`, `violates PodSecurity`',
    message: (facts) =>
      told(facts, /violates PodSecurity/u, "The namespace's Pod Security level refuses its pod"),
  },
  {
    id: 'policy-refuses',
    says: 'over',
    class: 'admission_refused',
    shows: 'event `FailedCreate`, `ValidatingAdmissionPolicy … denied request`',
    message: (facts) =>
      told(facts, /ValidatingAdmissionPolicy .*denied/u, 'A policy of the cluster refuses its pod'),
  },
  {
    id: 'webhook-refuses',
    says: 'over',
    class: 'admission_refused',
    shows: 'event `FailedCreate`, `admission webhook … denied the request`',
    message: (facts) =>
      told(
        facts,
        /admission webhook .*denied the request/u,
        'An admission webhook of the cluster refuses its pod',
      ),
  },
  {
    id: 'class-missing',
    says: 'over',
    class: 'bad_config',
    shows: 'event `FailedCreate`, a PriorityClass or RuntimeClass that does not exist',
    message: (facts) =>
      told(
        facts,
        /no PriorityClass|RuntimeClass "[^"]*" not found|RuntimeClass .*not found/u,
        'The priority class or runtime class that AME is set to does not exist',
      ),
  },
  {
    id: 'webhook-away',
    says: 'waits',
    class: null,
    shows: 'event `FailedCreate`, `failed calling webhook`',
    message: (facts) =>
      told(facts, /failed calling webhook/u, 'An admission webhook of the cluster does not answer'),
  },
  {
    id: 'service-account-missing',
    says: 'waits',
    class: null,
    shows: 'event `FailedCreate`, `error looking up service account`',
    message: (facts) =>
      told(
        facts,
        /service ?account/u,
        'The service account of its namespace is not there (it comes a moment after a new namespace)',
      ),
  },
  {
    id: 'rules-not-ready',
    says: 'waits',
    class: null,
    shows: 'event `FailedCreate`, `not yet ready to handle request` or `status unknown for quota`',
    message: (facts) =>
      told(
        facts,
        /not yet ready to handle|status unknown for quota|forbidden: .*timed out/u,
        "The cluster's rules about pods are being loaded (it was restarted, or a quota is new)",
      ),
  },
  {
    id: 'pod-refused',
    says: 'over',
    class: 'admission_refused',
    shows: 'event `FailedCreate`, `is forbidden` or `is invalid`, for any other cause',
    message: (facts) => told(facts, /is forbidden|is invalid/u, 'The cluster refuses its pod'),
  },
  {
    id: 'pod-not-made',
    says: 'waits',
    class: null,
    shows: 'event `FailedCreate` for any other cause',
    message: (facts) => told(facts, /^/u, 'The cluster has not made its pod yet'),
  },
  {
    id: 'no-pod-yet',
    says: 'waits',
    class: null,
    shows: 'Job without a pod and without an event',
    message: ({ job, pod }) =>
      pod === null && job !== null && !job.deleting ? 'The cluster has not made its pod yet.' : null,
  },
];

/** The newest word on why there is no pod. */
function refusal({ job, pod, events }: ClusterFacts): string | null {
  if (pod !== null || job === null || job.deleting) return null;
  return events.findLast(({ reason }) => reason === 'FailedCreate')?.message ?? null;
}

function told(facts: ClusterFacts, cause: RegExp, sentence: string): string | null {
  const words = refusal(facts);
  if (words === null || !cause.test(words)) return null;
  // The pod's name, made up by the controller, helps nobody.
  return `${sentence}: ${quoted(words.replace(/^Error creating: (?:pods? "[^"]*" is forbidden: )?/u, ''))}`;
}

type QuotaLine = {
  readonly what: string;
  readonly requested: string;
  readonly used: string;
  readonly limited: string;
  readonly beyond: boolean;
};

/** Reads `exceeded quota: name, requested: a=1,b=2, used: a=0,b=0, limited: a=0,b=1`. */
function quotaOf(
  words: string | null,
): { readonly name: string; readonly lines: readonly QuotaLine[] } | null {
  const match = /exceeded quota: ([^,]+), requested: (\S+), used: (\S+), limited: (\S+)/u.exec(words ?? '');
  if (match === null) return null;
  const [requested, used, limited] = [match[2], match[3], match[4]].map(amounts);
  const lines = [...(requested ?? [])].map(([what, asked]) => {
    const granted = limited?.get(what) ?? '';
    const beyond = compareQuantities(asked, granted) === 1;
    return { what, requested: asked, used: used?.get(what) ?? '0', limited: granted, beyond };
  });
  return { name: match[1] ?? '', lines };
}

function amounts(list = ''): ReadonlyMap<string, string> {
  return new Map(
    list.split(',').map((part) => {
      const at = part.lastIndexOf('=');
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}
