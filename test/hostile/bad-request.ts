import type { Sent } from './send.ts';

/** A request that must be refused with this status before anything is done. */
export type BadRequest = Sent & {
  readonly door: string;
  readonly name: string;
  readonly status: number;
  /** What the answer says, where its status is not all of the refusal. */
  readonly says?: RegExp;
};
