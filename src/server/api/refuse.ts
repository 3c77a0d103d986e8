import { HTTPException } from 'hono/http-exception';
import { refusal } from '../access.ts';

type RefusalStatus = 400 | 404 | 409 | 413 | 416 | 422;

/** Ends a request with a refusal in the API's one form. */
export function refuse(
  status: RefusalStatus,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HTTPException {
  return new HTTPException(status, {
    message,
    res: Response.json(refusal(code, message), { status, headers }),
  });
}
