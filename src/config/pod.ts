import { ConfigError, type Env } from '../config.ts';
import { usualReachPatience, usualStorePatience } from '../core/pod-time.ts';

/** What the pod of an attempt tells its agent. */
export type PodConfig = {
  /** Of the agent's door, without a slash at its end. */
  readonly url: string;
  readonly attempt: number;
  /** The file of the attempt's token. */
  readonly tokenFile: string;
  /** How long the command may run, and how long it has between TERM and KILL. */
  readonly timeoutSeconds: number;
  readonly graceSeconds: number;
  /** How long a command that has ended may hold its machine until all that it left is stored. */
  readonly storeSeconds: number;
  /** How long the first answer of the door is waited for. */
  readonly reachSeconds: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
};

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** Reads what the agent in a pod needs. All that is wrong is reported together, in one `ConfigError`. */
export function parsePodConfig(env: Env): PodConfig {
  const faults: string[] = [];
  const read = (name: string): string => env[name]?.trim() ?? '';
  const number = (name: string, fallback: number | null, least: number): number => {
    const text = read(name);
    if (text === '' && fallback !== null) return fallback;
    if (/^\d{1,12}(\.\d+)?$/.test(text) && Number(text) >= least) return Math.ceil(Number(text));
    faults.push(`${name} is '${text}', but must be a number from ${least}`);
    return least;
  };
  const url = URL.parse(read('AME_AGENT_URL'));
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    faults.push('AME_AGENT_URL must be an address that begins with http:// or https://');
  const config: PodConfig = {
    url: read('AME_AGENT_URL').replace(/\/+$/, ''),
    attempt: number('AME_ATTEMPT', null, 1),
    tokenFile: read('AME_TOKEN_FILE') || '/ame/token/token',
    timeoutSeconds: number('AME_TIMEOUT', null, 1),
    graceSeconds: number('AME_GRACE', 10, 0),
    storeSeconds: number('AME_STORE_PATIENCE', usualStorePatience, 1),
    reachSeconds: number('AME_REACH_PATIENCE', usualReachPatience, 1),
    logLevel: levels.find((level) => level === read('AME_LOG_LEVEL')) ?? 'info',
  };
  if (faults.length > 0) throw new ConfigError(faults.join('; '));
  return config;
}
