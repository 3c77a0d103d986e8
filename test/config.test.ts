import { availableParallelism, hostname } from 'node:os';
import { expect, test } from 'vitest';
import { ConfigError, parseCliConfig, parseConfig, type Config, type Env } from '../src/config.ts';

/** What is said of an environment that is wrong. */
function faultsOf(env: Env, parse: (env: Env) => unknown = parseConfig): readonly string[] {
  try {
    parse(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split('\n');
    return lines.length === 1 ? lines : lines.slice(1).map((line) => line.replace(/^ {2}(?! )/, ''));
  }
}

test('nothing set is a server for this machine alone', () => {
  expect(parseConfig({})).toEqual({
    port: 8080,
    bind: '127.0.0.1',
    publicUrl: null,
    hosts: [],
    databaseUrl: null,
    dataDirectory: null,
    localSlots: availableParallelism(),
    githubApp: null,
    githubUrl: 'https://github.com',
    graceSeconds: 10,
    taskEnv: [],
    path: '/usr/local/bin:/usr/bin:/bin',
    webhookSecrets: [],
    secretKey: null,
    s3: null,
    logLevel: 'info',
    host: hostname(),
    kubernetes: null,
    metricsToken: null,
    retention: { artifactDays: 90, deliveryDays: 30, logDays: 90, workspaceDays: 14 },
    token: null,
    resourceDefaults: {
      cpuMillis: 1_000,
      memoryBytes: 2 * 2 ** 30,
      memoryCeilingBytes: 16 * 2 ** 30,
      storageBytes: 10 * 2 ** 30,
    },
  });
});

test('lifetimes are whole days, and metrics may have a token of their own', () => {
  const { retention, metricsToken } = parseConfig({ AME_KEEP_LOGS: '7', AME_METRICS_TOKEN: ' a-token ' });
  expect([retention.logDays, retention.artifactDays, metricsToken]).toEqual([7, 90, 'a-token']);
  for (const wrong of ['0', '-1', '1.5', 'forever', '36501'])
    expect(() => parseConfig({ AME_KEEP_WORKSPACES: wrong })).toThrow(/AME_KEEP_WORKSPACES is/);
});

const hex = '0123456789abcdef'.repeat(4);
const key = Buffer.from(hex, 'hex');

const s3Config = {
  endpoint: 'https://s3.example.com',
  bucket: 'ame',
  accessKeyId: 'AKIAEXAMPLE',
  secretAccessKey: 'hunter2-hunter2',
};
const s3 = {
  AME_S3_ENDPOINT: s3Config.endpoint,
  AME_S3_BUCKET: s3Config.bucket,
  AME_S3_ACCESS_KEY_ID: s3Config.accessKeyId,
  AME_S3_SECRET_ACCESS_KEY: s3Config.secretAccessKey,
};

test.each<readonly [Env, Partial<Config>]>([
  [{ PORT: '0' }, { port: 0 }],
  [{ PORT: ' 65535 ' }, { port: 65_535 }],
  [{ PORT: '' }, { port: 8080 }],
  [{ AME_BIND: '0.0.0.0' }, { bind: '0.0.0.0' }],
  [{ AME_BIND: ' ' }, { bind: '127.0.0.1' }],
  [{ AME_PUBLIC_URL: 'https://ame.example.com/' }, { publicUrl: 'https://ame.example.com' }],
  [{ AME_HOSTS: 'a.example.com, b.example.com:8443,,' }, { hosts: ['a.example.com', 'b.example.com:8443'] }],
  [{ DATABASE_URL: 'postgres://ame:pw@db/ame' }, { databaseUrl: 'postgres://ame:pw@db/ame' }],
  [{ DATABASE_URL: 'postgresql:///ame?host=/run/pg' }, { databaseUrl: 'postgresql:///ame?host=/run/pg' }],
  [{ AME_DATA: '/srv/ame' }, { dataDirectory: '/srv/ame' }],
  [{ AME_LOCAL_SLOTS: '3' }, { localSlots: 3 }],
  [{ AME_GRACE: '0' }, { graceSeconds: 0 }],
  [{ PATH: '/opt/bin' }, { path: '/opt/bin' }],
  [{ PATH: '/a/node_modules/.bin:/bin' }, { path: '/a/node_modules/.bin:/bin' }],
  // As npm 11 makes it: a directory for each one above, then its own.
  [
    {
      npm_lifecycle_event: 'start',
      PATH: '/a/b/node_modules/.bin:/a/node_modules/.bin:/node_modules/.bin:/npm/lib/node-gyp-bin:/own/node_modules/.bin/x:/bin',
    },
    { path: '/own/node_modules/.bin/x:/bin' },
  ],
  [
    { npm_lifecycle_event: 'npx', PATH: '/opt/bin:/a/node_modules/.bin::/bin' },
    { path: '/opt/bin:/a/node_modules/.bin::/bin' },
  ],
  [{ npm_lifecycle_event: 'start', PATH: '/a/node_modules/.bin' }, { path: '/usr/local/bin:/usr/bin:/bin' }],
  [{ npm_lifecycle_event: 'start' }, { path: '/usr/local/bin:/usr/bin:/bin' }],
  [{ AME_GITHUB_WEBHOOK_SECRET: 'new, old' }, { webhookSecrets: ['new', 'old'] }],
  [{ AME_TOKEN: ' of-all-replicas_1 ' }, { token: 'of-all-replicas_1' }],
  [{ AME_SECRET_KEY: hex.toUpperCase() }, { secretKey: key }],
  [{ AME_SECRET_KEY: key.toString('base64') }, { secretKey: key }],
  [{ AME_S3_REGION: ' ' }, { s3: null }],
  [s3, { s3: { ...s3Config, region: 'us-east-1', prefix: '' } }],
  [
    {
      ...s3,
      AME_S3_ENDPOINT: 'https://s3.example.com/',
      AME_S3_REGION: 'eu-north-1',
      AME_S3_PREFIX: 'a/b//',
    },
    { s3: { ...s3Config, region: 'eu-north-1', prefix: 'a/b/' } },
  ],
  [{ AME_LOG_LEVEL: 'debug' }, { logLevel: 'debug' }],
  [{ AME_HOST_NAME: 'node-7' }, { host: 'node-7' }],
])('%j is read', (env, expected) => {
  expect(parseConfig(env)).toMatchObject(expected);
});

test('tasks see what reaches the network and the GPU, and what is named for them', () => {
  const env = {
    HTTPS_PROXY: 'http://proxy:3128',
    LD_LIBRARY_PATH: '',
    AWS_REGION: 'eu-north-1',
    AWS_SECRET_ACCESS_KEY: 'not for tasks',
    AME_TASK_ENV: 'AWS_REGION, UNSET',
  };
  expect(parseConfig(env).taskEnv).toEqual([
    { name: 'HTTPS_PROXY', value: 'http://proxy:3128' },
    { name: 'LD_LIBRARY_PATH', value: '' },
    { name: 'AWS_REGION', value: 'eu-north-1' },
  ]);
  const said = { ...env, AME_TASK_ENV: '{"HTTPS_PROXY": "http://other:1", "A": ""}' };
  expect(parseConfig(said).taskEnv).toEqual([
    { name: 'LD_LIBRARY_PATH', value: '' },
    { name: 'HTTPS_PROXY', value: 'http://other:1' },
    { name: 'A', value: '' },
  ]);
});

test.each<readonly [Env, RegExp]>([
  [{ AME_TASK_ENV: 'AME_TOKEN', AME_TOKEN: 'a-token-of-the-test' }, /^AME_TASK_ENV has 'AME_TOKEN'/],
  [{ AME_TASK_ENV: '{"A B":"1"}' }, /^AME_TASK_ENV has 'A B', but must have names of variables$/],
  [{ AME_TASK_ENV: '{"A":1}' }, /^AME_TASK_ENV must be names .* or a JSON object/],
  [{ AME_TASK_ENV: '{"A"' }, /^AME_TASK_ENV must be names/],
  [{ PORT: 'http' }, /^PORT is 'http', but must be a whole number from 0 to 65535$/],
  [{ PORT: '65536' }, /^PORT /],
  [{ PORT: '-1' }, /^PORT /],
  [{ PORT: '80.5' }, /^PORT /],
  [{ AME_LOCAL_SLOTS: '0' }, /^AME_LOCAL_SLOTS is '0'/],
  [{ AME_GRACE: '3601' }, /^AME_GRACE /],
  [{ AME_PUBLIC_URL: 'ame.example.com' }, /^AME_PUBLIC_URL must be an address that begins with http:/],
  [{ AME_PUBLIC_URL: 'ftp://ame.example.com' }, /^AME_PUBLIC_URL /],
  [{ DATABASE_URL: 'mysql://db/ame' }, /^DATABASE_URL must be an address that begins with postgres:/],
  [{ AME_LOG_LEVEL: 'loud' }, /^AME_LOG_LEVEL is 'loud', but must be one of debug, info, warn, error$/],
  [{ AME_GITHUB_WEBHOOK_SECRET: 'a,b,c' }, /^AME_GITHUB_WEBHOOK_SECRET holds more than two secrets$/],
  [{ AME_TOKEN: 'too short' }, /^AME_TOKEN must be 16 or more/],
  [{ AME_SECRET_KEY: 'a1b2' }, /^AME_SECRET_KEY must be 32 bytes/],
  [
    { ...s3, AME_S3_ENDPOINT: 's3.example.com' },
    /^AME_S3_ENDPOINT must be an address that begins with http:/,
  ],
  [
    { ...s3, AME_S3_ENDPOINT: 'https://a:hunter2@s3.example.com' },
    /^AME_S3_ENDPOINT must be the address alone/,
  ],
  [{ ...s3, AME_S3_BUCKET: 'a/b' }, /^AME_S3_BUCKET is 'a\/b', but must be the name of a bucket$/],
  [{ ...s3, AME_S3_REGION: 'north pole' }, /^AME_S3_REGION /],
  [{ ...s3, AME_S3_PREFIX: '/a' }, /^AME_S3_PREFIX is '\/a'/],
  [{ ...s3, AME_S3_PREFIX: 'a//b' }, /^AME_S3_PREFIX /],
  [{ ...s3, AME_S3_SECRET_ACCESS_KEY: ' ' }, /^AME_S3_SECRET_ACCESS_KEY is missing/],
  // Read as base64 with what is none of it passed over, these are 32 bytes.
  [{ AME_SECRET_KEY: 'correct horse battery staple, and then some more' }, /^AME_SECRET_KEY /],
  [{ AME_SECRET_KEY: '!'.repeat(5) + 'A'.repeat(43) }, /^AME_SECRET_KEY /],
])('%j is refused', (env, fault) => {
  expect(faultsOf(env)).toEqual([expect.stringMatching(fault)]);
});

test('all that is wrong is said at once, and no secret is repeated', () => {
  const secret = 'hunter2-hunter2';
  const faults = faultsOf({
    PORT: 'x',
    DATABASE_URL: `db://ame:${secret}@db`,
    AME_PUBLIC_URL: `ame:${secret}@host`,
    AME_SECRET_KEY: secret,
    AME_GITHUB_WEBHOOK_SECRET: `${secret}a,${secret}b,${secret}c`,
    AME_LOCAL_SLOTS: 'many',
    AME_GRACE: 'long',
    AME_LOG_LEVEL: 'x',
    AME_S3_ENDPOINT: `https://ame:${secret}@s3`,
    AME_S3_SECRET_ACCESS_KEY: secret,
  });
  expect(faults).toHaveLength(11);
  expect(faults.every((fault) => /^[A-Z0-9_]+ /.test(fault))).toBe(true);
  expect(faults.join('\n')).not.toContain(secret);
});

test('the command knows its server, its token and its terminal', () => {
  expect(parseCliConfig({})).toEqual({ url: null, token: null, color: true, debug: false });
  const env = { AME_URL: 'http://127.0.0.1:9000/', AME_TOKEN: ' t ', NO_COLOR: '1', AME_LOG_LEVEL: 'debug' };
  expect(parseCliConfig(env)).toEqual({
    url: 'http://127.0.0.1:9000',
    token: 't',
    color: false,
    debug: true,
  });
  expect(parseCliConfig({ TERM: 'dumb' }).color).toBe(false);
  expect(parseCliConfig({ NO_COLOR: '' }).color).toBe(true);
  expect(faultsOf({ AME_URL: 'localhost:8080' }, parseCliConfig)).toEqual([
    expect.stringMatching(/^AME_URL /),
  ]);
});
