/** What goes back over the wire. A `Buffer` as body goes as it is, anything else as JSON, none where undefined. */
export type Answer = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Ends an operation with an answer that is no success. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly answer: Answer;
  constructor(answer: Answer) {
    super(`answered ${answer.status}`);
    this.answer = answer;
  }
}

const documentation = 'https://docs.github.com/rest';

export function refusal(status: number, message: string, more: object = {}): Answer {
  return { status, body: { message, documentation_url: documentation, status: String(status), ...more } };
}

export function refuse(status: number, message: string, more: object = {}): never {
  throw new Refused(refusal(status, message, more));
}

export function notFound(): never {
  refuse(404, 'Not Found');
}

export function invalid(resource: string, field: string, message: string): never {
  refuse(422, 'Validation Failed', { errors: [{ resource, field, code: 'custom', message }] });
}

export function ok(body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, body, headers };
}
