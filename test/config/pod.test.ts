import { expect, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { parsePodConfig } from '../../src/config/pod.ts';

const least = { AME_AGENT_URL: 'http://ame.ame.svc:8081/', AME_ATTEMPT: '7', AME_TIMEOUT: '3600' };

test('what a pod tells its agent, and what it need not', () => {
  expect(parsePodConfig(least)).toEqual({
    url: 'http://ame.ame.svc:8081',
    attempt: 7,
    tokenFile: '/ame/token/token',
    timeoutSeconds: 3_600,
    graceSeconds: 10,
    storeSeconds: 4_200,
    reachSeconds: 300,
    logLevel: 'info',
  });
  const more = { AME_TIMEOUT: '0.5', AME_GRACE: '0', AME_STORE_PATIENCE: '60', AME_LOG_LEVEL: 'debug' };
  expect(parsePodConfig({ ...least, ...more, AME_TIMEOUT: '1.5' })).toMatchObject({
    timeoutSeconds: 2,
    graceSeconds: 0,
    storeSeconds: 60,
    logLevel: 'debug',
  });
});

test('all that is wrong is said together', () => {
  const wrong = { AME_AGENT_URL: 'ame:8081', AME_ATTEMPT: 'x', AME_TIMEOUT: '' };
  expect(() => parsePodConfig(wrong)).toThrow(ConfigError);
  expect(() => parsePodConfig(wrong)).toThrow(/AME_AGENT_URL.*AME_ATTEMPT.*AME_TIMEOUT/);
});
