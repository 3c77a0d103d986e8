import { right, wrong, type Finding } from './finding.ts';

/** GitHub refuses a token that is a minute off; half of it is a fault already. */
const mostSkewSeconds = 30;

/** A moment that somebody else's clock showed, between two of ours. */
export type Reading = { readonly before: Date; readonly theirs: Date; readonly after: Date };

/** Compares our clock with another one: what it showed lies between the question and the answer, or a clock is off. */
export function compareClocks({ before, theirs, after }: Reading, whose: string): Finding {
  const aheadMs = before.getTime() - theirs.getTime();
  const behindMs = theirs.getTime() - after.getTime();
  const seconds = Math.round(Math.max(aheadMs, behindMs) / 1_000);
  if (seconds <= mostSkewSeconds) return right('clock', `The clock agrees with that of the ${whose}`);
  const message = `This machine's clock is ${seconds} s ${aheadMs > behindMs ? 'ahead of' : 'behind'} that of the ${whose}`;
  return wrong('clock', message, 'Let the clocks of both be set by a time service (NTP)');
}
