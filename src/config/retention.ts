/** Days that content is kept once what it belongs to is over. */
export type RetentionConfig = {
  readonly logDays: number;
  readonly artifactDays: number;
  readonly workspaceDays: number;
  /** Of the bodies of deliveries; what was decided about them stays. */
  readonly deliveryDays: number;
};

/** `AME_KEEP_…`, each a whole number of days. */
export function parseRetention(
  integer: (name: string, fallback: number, least: number, most: number) => number,
): RetentionConfig {
  const days = (what: string, fallback: number): number => integer(`AME_KEEP_${what}`, fallback, 1, 36_500);
  return {
    logDays: days('LOGS', 90),
    artifactDays: days('ARTIFACTS', 90),
    workspaceDays: days('WORKSPACES', 14),
    deliveryDays: days('DELIVERIES', 30),
  };
}
