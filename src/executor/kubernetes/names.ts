import { createHmac } from 'node:crypto';

/** Labels of everything that we make; ids only, so that nothing of a user's stands in them. */
export const labels = {
  instance: 'ame.dev/instance',
  attempt: 'ame.dev/attempt',
  run: 'ame.dev/run',
  project: 'ame.dev/project',
  managedBy: 'app.kubernetes.io/managed-by',
  /** Kueue's. */
  queue: 'kueue.x-k8s.io/queue-name',
} as const;

/** Annotations of ours: what an attempt was given, and what a mirrored Secret holds. */
export const annotations = { asked: 'ame.dev/asked', digest: 'ame.dev/digest' } as const;

/** Which AME made something: several may share a namespace, and none touches what is another's. */
export function instanceOf(ownKey: Uint8Array): string {
  return createHmac('sha256', ownKey).update('ame instance 1').digest('hex').slice(0, 12);
}

/** Of the Job of an attempt, and of the Secret that holds its token. */
export function attemptName(attempt: number): string {
  return `ame-attempt-${attempt}`;
}

/** Of the Secret that mirrors a project's. */
export function projectSecretName(projectId: number): string {
  return `ame-project-${projectId}`;
}

/** The attempt that an object of ours is of; null where its labels say none. */
export function attemptOf(objectLabels: Readonly<Record<string, string>> | undefined): number | null {
  return idOf(objectLabels?.[labels.attempt]);
}

/** The project that an object of ours is of; null where its labels say none. */
export function projectOf(objectLabels: Readonly<Record<string, string>> | undefined): number | null {
  return idOf(objectLabels?.[labels.project]);
}

function idOf(text = ''): number | null {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
}
