import type { AttemptOrder } from '../../core/attempt.ts';
import type { EnvVariable } from '../../core/project.ts';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type EnvironmentSource = {
  readonly order: AttemptOrder;
  readonly secrets: readonly EnvVariable[];
  /** PATH and what the administrator lists. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Comes first in PATH; `null` where nothing needs to. */
  readonly shimDirectory: string | null;
  readonly home: string;
  readonly tmp: string;
  /** Ids of the GPUs that the task may use; `null` where the machine has none. */
  readonly gpus: readonly string[] | null;
  readonly mark: string;
};

/** The whole environment of a task: nothing of the server's own comes in, and what is more the task's wins. */
export function taskEnvironment(source: EnvironmentSource): Record<string, string> {
  const { order, baseEnv } = source;
  const path = baseEnv['PATH'] ?? defaultPath;
  const own: readonly EnvVariable[] = [...order.env, ...source.secrets];
  return {
    LANG: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    ...(source.gpus && { CUDA_VISIBLE_DEVICES: source.gpus.join(',') }),
    ...baseEnv,
    PATH: source.shimDirectory === null ? path : `${source.shimDirectory}:${path}`,
    HOME: source.home,
    TMPDIR: source.tmp,
    ...Object.fromEntries(own.map(({ name, value }) => [name, value])),
    AME_PROJECT: order.project,
    AME_RUN: String(order.run.number),
    AME_TASK: order.task,
    AME_ATTEMPT: String(order.number),
    AME_COMMIT: order.commit,
    AME_REF: order.ref,
    AME_MARK: source.mark,
  };
}
