import type { V1EnvVar } from '@kubernetes/client-node';
import { podPlaces } from '../../agent/pod/places.ts';
import type { AttemptOrder } from '../../core/attempt.ts';
import type { PodSettings } from './manifest.ts';
import { projectSecretName } from './names.ts';

/**
 * The environment of a task, on top of its image's own: as the local executor gives it, `given` by the administrator
 * included. Of a user's file only names
 * and values of variables come in here, and names of secrets; the values of these stay in the project's Secret.
 */
export function taskEnvironment(order: AttemptOrder, given: PodSettings['taskEnv']): V1EnvVar[] {
  const variables = new Map<string, V1EnvVar>();
  const set = (name: string, value: string): unknown => variables.set(name, { name, value: literal(value) });
  set('LANG', 'C.UTF-8');
  set('PYTHONUNBUFFERED', '1');
  for (const { name, value } of given) set(name, value);
  set('HOME', podPlaces.home);
  set('TMPDIR', podPlaces.temporary);
  for (const { name, value } of order.env) set(name, value);
  for (const { name, secret } of order.secrets)
    variables.set(name, {
      name,
      valueFrom: {
        secretKeyRef: { name: projectSecretName(order.projectId), key: secret, optional: false },
      },
    });
  set('AME_PROJECT', order.project);
  set('AME_RUN', String(order.run.number));
  set('AME_TASK', order.task);
  set('AME_ATTEMPT', String(order.number));
  set('AME_COMMIT', order.commit);
  set('AME_REF', order.ref);
  return [...variables.values()];
}

/** Kubernetes puts other variables in the place of `$(NAME)` and makes `$$` one `$`: doubled, all stays as it is. */
export function literal(text: string): string {
  return text.replaceAll('$', '$$$$');
}
