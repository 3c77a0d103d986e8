import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { openTestAme, refusalOf } from './ame.ts';
import { describeApi } from './described.ts';

test('the API describes every route that it has, and each schema is one', async () => {
  await using opened = await openTestAme();
  const { description } = await describeApi(opened);
  expect(description.openapi).toBe('3.1.0');
  const described = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map(
      (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    ),
  );
  const served = opened.app.routes
    .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/v1/'))
    .map(({ method, path }) => `${method} ${path}`);
  expect(described.sort()).toEqual([...new Set(served)].sort());
  expect(described.length).toBeGreaterThan(15);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', ...description });
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, { responses }] of Object.entries(operations)) {
      const statuses = Object.keys(responses);
      expect(
        statuses.some((status) => status.startsWith('2')),
        `${method} ${path}`,
      ).toBe(true);
    }
  }
  for (const name of Object.keys(description.components.schemas)) {
    expect(() => ajv.compile({ $ref: `api#/components/schemas/${name}` }), name).not.toThrow();
  }
});

test('what is not there is refused in the one form', async () => {
  await using opened = await openTestAme();
  for (const path of ['/api/v1/nothing', '/api/v2/runs', '/api/v1', '/api/v1/runs/1/nothing']) {
    expect(await refusalOf(await opened.ask(path)), path).toEqual([404, 'not-found']);
  }
  expect(await refusalOf(await opened.ask('/api/v1/runs', { method: 'DELETE' }))).toEqual([404, 'not-found']);
});
