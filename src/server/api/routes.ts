import { OpenAPIHono } from '@hono/zod-openapi';
import { refusal } from '../access.ts';

/** Routes of one resource: what does not fit its description is refused in the API's one form. */
export function createRoutes() {
  return new OpenAPIHono({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const [issue] = result.error.issues;
      const where = issue?.path.join('.') ?? '';
      const what = issue?.message ?? 'the request is not valid';
      return c.json(refusal('not-valid', where === '' ? what : `${where}: ${what}`), 422);
    },
  });
}
