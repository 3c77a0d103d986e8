/** A Job shaped like that of an attempt: the same names and labels, small shell scripts in place of agent and entry. */
export type AttemptJob = {
  readonly image?: string;
  /** Run by the task's `sh`. Its end is told as the entry tells it, unless `silent`. */
  readonly task?: string;
  readonly silent?: boolean;
  /** Run by the agent's `sh`. */
  readonly agent?: string;
  readonly agentImage?: string;
  readonly agentMemory?: string;
  readonly memory?: string;
  readonly requests?: { readonly [resource: string]: string };
  readonly limits?: { readonly [resource: string]: string };
  readonly grace?: number;
  readonly workspaceLimit?: string;
  /** Into the pod's spec, the Job's spec and the task's container as they stand. */
  readonly pod?: object;
  readonly job?: object;
  readonly container?: object;
  readonly annotations?: { readonly [name: string]: string };
};

export type Images = { readonly python: string; readonly small: string };

/** Waits for its TERM and leaves well, as an agent does that has reported. */
const quietAgent = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done';

const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

/** The object to create. `$` is doubled, which Kubernetes reads as its own. */
export function attemptJob(name: string, spec: AttemptJob, images: Images): object {
  const labels = {
    'app.kubernetes.io/managed-by': 'ame',
    'ame.dev/instance': '0123456789ab',
    'ame.dev/attempt': name.replace('ame-attempt-', ''),
  };
  const task = spec.task ?? 'sleep 600';
  const told = `( ${task} ); code=$?; echo "exit=$code anon=1 peak=1 cpu=1 oom=0" >/dev/termination-log; exit $code`;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels },
    spec: {
      backoffLimit: 0,
      ...spec.job,
      template: {
        metadata: { labels, annotations: { ...spec.annotations } },
        spec: {
          restartPolicy: 'Never',
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: spec.grace ?? 3,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            runAsGroup: 1000,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          volumes: [
            { name: 'workspace', emptyDir: { sizeLimit: spec.workspaceLimit ?? '64Mi' } },
            { name: 'state', emptyDir: { sizeLimit: '16Mi' } },
          ],
          initContainers: [
            {
              name: 'agent',
              image: spec.agentImage ?? images.small,
              restartPolicy: 'Always',
              command: ['sh', '-c', doubled(spec.agent ?? quietAgent)],
              resources: {
                requests: { cpu: '5m', memory: '16Mi' },
                limits: { memory: spec.agentMemory ?? '64Mi' },
              },
              securityContext: { ...restricted, readOnlyRootFilesystem: true },
              volumeMounts: [
                { name: 'workspace', mountPath: '/workspace' },
                { name: 'state', mountPath: '/ame/state' },
              ],
            },
          ],
          containers: [
            {
              name: 'task',
              image: spec.image ?? images.small,
              command: ['sh', '-c', doubled(spec.silent ? task : told)],
              resources: {
                requests: { cpu: '5m', memory: spec.memory ?? '32Mi', ...spec.requests },
                limits: { memory: spec.memory ?? '32Mi', ...spec.limits },
              },
              securityContext: restricted,
              volumeMounts: [{ name: 'workspace', mountPath: '/workspace' }],
              ...spec.container,
            },
          ],
          ...spec.pod,
        },
      },
    },
  };
}

function doubled(script: string): string {
  return script.replaceAll('$', '$$$$');
}
