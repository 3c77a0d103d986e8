import { availableParallelism, hostname } from 'node:os';
import { delimiter } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { parseKubernetes, type KubernetesConfig } from './config/kubernetes.ts';
import { parseResourceDefaults } from './config/resources.ts';
import { parseRetention, type RetentionConfig } from './config/retention.ts';
import { parseTaskEnv, type TaskEnv } from './config/task-env.ts';
import type { ResourceDefaults } from './core/resources.ts';

/** Everything that the surroundings decide. */
export type Config = {
  readonly port: number;
  readonly bind: string;
  /** Address that people and checks are given; null: made from what the server listens on. */
  readonly publicUrl: string | null;
  /** Names that a request's Host may carry, the loopback ones apart. */
  readonly hosts: readonly string[];
  /** Null: the embedded Postgres. */
  readonly databaseUrl: string | null;
  readonly dataDirectory: string | null;
  readonly localSlots: number;
  /** Seconds between TERM and KILL. */
  readonly graceSeconds: number;
  /** What tasks of this machine are given besides, such as proxies. */
  readonly taskEnv: TaskEnv;
  readonly path: string;
  /** Oldest last: what is signed with any of them is accepted. */
  readonly webhookSecrets: readonly string[];
  /** The App that the environment names; null: the one that `/setup` makes. */
  readonly githubApp: {
    readonly id: string;
    /** The text of the key, or the path of its file. */
    readonly privateKey: string;
  } | null;
  /** Of the site, without a slash at its end; another than github.com is a GitHub Enterprise Server. */
  readonly githubUrl: string;
  /** What the doors ask for; null: the token in the data directory. */
  readonly token: string | null;
  /** 32 bytes that encrypt secrets; null: the key in the data directory. */
  readonly secretKey: Uint8Array | null;
  /** Where content lies; null: in the data directory. */
  readonly s3: {
    readonly endpoint: string;
    readonly bucket: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    /** Before every key: '' or ends with a slash. */
    readonly prefix: string;
  } | null;
  /** Opens `/metrics` and nothing else; null: only the server's own token does. */
  readonly metricsToken: string | null;
  readonly retention: RetentionConfig;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly host: string;
  /** Where attempts run: on a cluster, or null for this machine. */
  readonly kubernetes: KubernetesConfig | null;
  /** What tasks are given that ask for nothing, and the most that memory may climb to. */
  readonly resourceDefaults: ResourceDefaults;
};

export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** One fault is said in a line; several stand below a line that counts them. */
function configError(faults: readonly string[]): ConfigError {
  if (faults.length === 1) return new ConfigError(faults.join());
  return new ConfigError(
    [`${faults.length} environment variables are wrong:`, ...faults.map((fault) => `  ${fault}`)].join('\n'),
  );
}

export type Env = Readonly<Record<string, string | undefined>>;

/** Reads the configuration. All that is wrong is reported together, in one `ConfigError`. */
export function parseConfig(env: Env): Config {
  const faults: string[] = [];
  const integer = (name: string, fallback: number, least: number, most: number): number => {
    const text = env[name]?.trim();
    if (text === undefined || text === '') return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    faults.push(`${name} is '${text}', but must be a whole number from ${least} to ${most}`);
    return fallback;
  };
  const taskEnv = parseTaskEnv(env, faults);
  const graceSeconds = integer('AME_GRACE', 10, 0, 3_600);
  const config: Config = {
    port: integer('PORT', 8080, 0, 65_535),
    bind: env.AME_BIND?.trim() || '127.0.0.1',
    publicUrl: parseUrl('AME_PUBLIC_URL', env.AME_PUBLIC_URL, ['http:', 'https:'], faults),
    hosts: list(env.AME_HOSTS),
    databaseUrl: parseUrl('DATABASE_URL', env.DATABASE_URL, ['postgres:', 'postgresql:'], faults),
    dataDirectory: env.AME_DATA?.trim() || null,
    localSlots: integer('AME_LOCAL_SLOTS', availableParallelism(), 1, 10_000),
    graceSeconds,
    taskEnv: taskEnv.here,
    path: pathOf(env),
    webhookSecrets: list(env.AME_GITHUB_WEBHOOK_SECRET),
    githubApp: githubApp(env, faults),
    githubUrl:
      parseUrl('AME_GITHUB_URL', env.AME_GITHUB_URL, ['http:', 'https:'], faults) ?? 'https://github.com',
    token: parseToken(env.AME_TOKEN, faults),
    secretKey: parseKey(env.AME_SECRET_KEY, faults),
    s3: parseS3(env, faults),
    metricsToken: env.AME_METRICS_TOKEN?.trim() || null,
    retention: parseRetention(integer),
    logLevel: parseLevel(env.AME_LOG_LEVEL, faults),
    host: env.AME_HOST_NAME?.trim() || hostname(),
    kubernetes: parseExecutor(env.AME_EXECUTOR, faults)
      ? parseKubernetes(
          env,
          {
            integer,
            url: (name) => parseUrl(name, env[name], ['http:', 'https:'], faults),
            list: (name) => list(env[name]),
            taskEnv: taskEnv.named,
            graceSeconds,
            faults,
          },
          manifest.version,
        )
      : null,
    resourceDefaults: parseResourceDefaults(env, faults),
  };
  if (config.webhookSecrets.length > 2) faults.push('AME_GITHUB_WEBHOOK_SECRET holds more than two secrets');
  if (faults.length > 0) throw configError(faults);
  return config;
}

/**
 * PATH without what `npm start` and npx put before it: the programs of this checkout (a TypeScript compiler, an older
 * Node), which would be found in every task, and only where the server was started that way.
 */
function pathOf(env: Env): string {
  const fallback = '/usr/local/bin:/usr/bin:/bin';
  if (env.PATH === undefined || env.npm_lifecycle_event === undefined) return env.PATH ?? fallback;
  const entries = env.PATH.split(delimiter);
  // Its directories stand first, and those of an npm within an npm before those of the outer one.
  const first = entries.findIndex((entry) => !/[/\\](node_modules[/\\]\.bin|node-gyp-bin)$/.test(entry));
  return first < 0 ? fallback : entries.slice(first).join(delimiter);
}

function githubApp(env: Env, faults: string[]): Config['githubApp'] {
  const id = env.AME_GITHUB_APP_ID?.trim() ?? '';
  const privateKey = env.AME_GITHUB_PRIVATE_KEY?.trim() ?? '';
  if (id === '' && privateKey === '') return null;
  if (id === '') faults.push('AME_GITHUB_PRIVATE_KEY is set, and AME_GITHUB_APP_ID is missing beside it');
  else if (!/^[1-9]\d{0,15}$/.test(id))
    faults.push(`AME_GITHUB_APP_ID is '${id}', but must be the number that GitHub shows as "App ID"`);
  if (privateKey === '')
    faults.push(
      'AME_GITHUB_APP_ID is set, and AME_GITHUB_PRIVATE_KEY is missing beside it: the text of the .pem file or its path',
    );
  return { id, privateKey };
}

function parseS3(env: Env, faults: string[]): Config['s3'] {
  const read = (part: string): string => env[`AME_S3_${part}`]?.trim() ?? '';
  const needed = ['ENDPOINT', 'BUCKET', 'ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'];
  if ([...needed, 'REGION', 'PREFIX'].every((part) => read(part) === '')) return null;
  for (const part of needed)
    if (read(part) === '') faults.push(`AME_S3_${part} is missing beside the other AME_S3_ variables`);
  const endpoint = parseUrl('AME_S3_ENDPOINT', read('ENDPOINT'), ['http:', 'https:'], faults) ?? '';
  const url = URL.parse(endpoint);
  if (url && (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== ''))
    faults.push('AME_S3_ENDPOINT must be the address alone; the key belongs into AME_S3_ACCESS_KEY_ID');
  const bucket = read('BUCKET');
  if (!/^[\w.-]*$/.test(bucket))
    faults.push(`AME_S3_BUCKET is '${bucket}', but must be the name of a bucket`);
  const region = read('REGION') || 'us-east-1';
  if (!/^[\w-]+$/.test(region)) faults.push(`AME_S3_REGION is '${region}', but must be the name of a region`);
  const prefix = read('PREFIX').replace(/\/+$/, '');
  if (prefix !== '' && !/^[\w.-]+(\/[\w.-]+)*$/.test(prefix))
    faults.push(
      `AME_S3_PREFIX is '${prefix}', but must be names of letters, digits, '.', '_', '-' with '/' between`,
    );
  return {
    endpoint,
    bucket,
    region,
    accessKeyId: read('ACCESS_KEY_ID'),
    secretAccessKey: read('SECRET_ACCESS_KEY'),
    prefix: prefix === '' ? '' : `${prefix}/`,
  };
}

function list(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseUrl(
  name: string,
  text: string | undefined,
  protocols: string[],
  faults: string[],
): string | null {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') return null;
  const url = URL.parse(trimmed);
  if (url && protocols.includes(url.protocol)) return trimmed.replace(/\/+$/, '');
  // The text itself may hold a password, so it is not repeated.
  faults.push(
    `${name} must be an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  );
  return null;
}

function parseToken(text: string | undefined, faults: string[]): string | null {
  const token = text?.trim() || null;
  if (token !== null && !/^[\w-]{16,}$/.test(token))
    faults.push("AME_TOKEN must be 16 or more letters, digits, '-' and '_'");
  return token;
}

function parseKey(text: string | undefined, faults: string[]): Uint8Array | null {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') return null;
  // Node reads any text as base64 and passes over what is none of it: a pass phrase would make a key by chance.
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (/^[A-Za-z0-9+/]{43}=?$/.test(trimmed)) return Buffer.from(trimmed, 'base64');
  faults.push('AME_SECRET_KEY must be 32 bytes in hex or base64, as `openssl rand -hex 32` prints them');
  return null;
}

/** Whether attempts run on a cluster. */
function parseExecutor(text: string | undefined, faults: string[]): boolean {
  const name = text?.trim() || 'local';
  if (name !== 'local' && name !== 'kubernetes')
    faults.push(`AME_EXECUTOR is '${name}', but must be local or kubernetes`);
  return name === 'kubernetes';
}

function parseLevel(text: string | undefined, faults: string[]): Config['logLevel'] {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  const level = levels.find((candidate) => candidate === (text?.trim() || 'info'));
  if (level) return level;
  faults.push(`AME_LOG_LEVEL is '${text}', but must be one of ${levels.join(', ')}`);
  return 'info';
}

/** The configuration of this process. */
export function readConfig(): Config {
  return parseConfig(process.env);
}

/** What the surroundings tell the `ame` command about itself and about where the server is. */
export type CliConfig = {
  /** Null: the server that runs on the data directory. */
  readonly url: string | null;
  readonly token: string | null;
  /** Colours are for terminals that want them; see no-color.org. */
  readonly color: boolean;
  /** Shows where an error comes from. */
  readonly debug: boolean;
};

/** Reads what the `ame` command needs. Throws `ConfigError`. */
export function parseCliConfig(env: Env): CliConfig {
  const faults: string[] = [];
  const config: CliConfig = {
    url: parseUrl('AME_URL', env.AME_URL, ['http:', 'https:'], faults),
    token: env.AME_TOKEN?.trim() || null,
    color: (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    debug: env.AME_LOG_LEVEL?.trim() === 'debug',
  };
  if (faults.length > 0) throw configError(faults);
  return config;
}

/** The variables of this process. */
export function readEnvironment(): Env {
  return process.env;
}
