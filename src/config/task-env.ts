import type { Env } from '../config.ts';

export type TaskEnv = readonly { readonly name: string; readonly value: string }[];

/** Proxies, certificates and what makes a GPU usable, and whatever `AME_TASK_ENV` names. */
const taskEnvDefaults = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CUDA_HOME',
  'LD_LIBRARY_PATH',
  'TZ',
];

/**
 * What tasks are given beside their own environment: `here` on this machine, `named` in pods, where the paths of this
 * machine mean nothing. `AME_TASK_ENV` names variables of the server, or is a JSON object of names and values.
 */
export function parseTaskEnv(
  env: Env,
  faults: string[],
): { readonly here: TaskEnv; readonly named: TaskEnv } {
  const text = env.AME_TASK_ENV?.trim() ?? '';
  const named = text.startsWith('{') ? fromObject(text, faults) : fromServer(env, text.split(','));
  for (const { name } of named) {
    if (name.startsWith('AME_'))
      faults.push(`AME_TASK_ENV has '${name}', but names that begin with AME_ are AME's own`);
    else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      faults.push(`AME_TASK_ENV has '${name}', but must have names of variables`);
  }
  const others = taskEnvDefaults.filter((name) => !named.some((own) => own.name === name));
  return { here: [...fromServer(env, others), ...named], named };
}

function fromServer(env: Env, names: readonly string[]): TaskEnv {
  const trimmed = new Set(names.map((name) => name.trim()).filter((name) => name !== ''));
  return [...trimmed].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [{ name, value }];
  });
}

function fromObject(text: string, faults: string[]): TaskEnv {
  const entries = readObject(text);
  if (entries !== null) return entries;
  // The text itself may hold a password, so it is not repeated.
  faults.push(
    'AME_TASK_ENV must be names of variables with commas between, or a JSON object of texts, such as {"HTTPS_PROXY":"http://proxy:3128"}',
  );
  return [];
}

function readObject(text: string): TaskEnv | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const entries = Object.entries(value).map(([name, each]: [string, unknown]) =>
      typeof each === 'string' && !each.includes('\0') ? { name, value: each } : null,
    );
    return entries.every((entry) => entry !== null) ? entries : null;
  } catch {
    return null;
  }
}
