/** The concurrency group of a schedule's runs: it reaches across commits, and to no push. */
export function scheduleGroup(projectId: number, name: string): string {
  return `schedule:${projectId}:${name}`;
}
