/** Where rows wait for attention, as the API names it. */
export const queueNames = [
  'deliveries',
  'github_apps',
  'installations',
  'repositories',
  'schedules',
  'runs',
  'checks',
] as const;
export type QueueName = (typeof queueNames)[number];
