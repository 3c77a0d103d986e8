/** What a file that has passed its check cannot contain, or what only shows once its references are followed. */
export type PlanErrorCode =
  'unknown-task' | 'reference-cycle' | 'needs-cycle' | 'too-many-tasks' | 'plan-too-large';

/** A task cannot be planned. The message is for the author of the file. */
export class PlanError extends Error {
  override name = 'PlanError';
  readonly code: PlanErrorCode;
  constructor(code: PlanErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
