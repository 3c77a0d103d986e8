import { Counter, Histogram, Registry } from 'prom-client';
import { createGauges, type Seen } from './metrics/gauges.ts';
import { watchProcess } from './metrics/process.ts';

/** How a step of a loop ended. `lost`: another worker holds the row by now. */
export type StepOutcome = 'done' | 'failed' | 'postponed' | 'lost';

/** What a delivery came to. `done`: something was done that is no decision about a commit, such as a button. */
export type DeliveryOutcome = 'run' | 'no_run' | 'problems' | 'done' | 'unreadable' | 'ignored';

/** The times of an attempt that is over; null: it never came that far. */
export type AttemptTimes = {
  readonly readyAt: Date | null;
  readonly queuedAt: Date | null;
  readonly preparedFrom: Date | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly storedAt: Date | null;
  readonly finishedAt: Date | null;
};

/** What one server counts. Nothing of it is shared between two servers of a process. */
export type Metrics = {
  /** The webhook's door answered with this status. */
  webhookAnswered(status: number): void;
  deliveryDecided(outcome: DeliveryOutcome, seconds: number): void;
  stepEnded(loop: string, outcome: StepOutcome, seconds: number): void;
  attemptFinished(attempt: AttemptTimes & { readonly class: string | null }): void;
  runFinished(state: string): void;
  githubAsked(request: { readonly route: string; readonly status: number; readonly cached: boolean }): void;
  /** Everything in Prometheus' text form, with what was just looked up. */
  read(seen: Seen): Promise<string>;
  /** Of the answer of `read`. */
  readonly contentType: string;
  close(): void;
};

/** Seconds: from what a loop does at once to what a training takes. */
const shortSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const longSeconds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400];

const webhookAnswers: ReadonlyMap<number, string> = new Map([
  [202, 'accepted'],
  [400, 'malformed'],
  [401, 'unsigned'],
  [408, 'too_slow'],
  [413, 'too_large'],
  [503, 'unavailable'],
]);

/** What a phase of an attempt is called, and the times that it lies between. */
const phases: readonly (readonly [name: string, from: keyof AttemptTimes, to: keyof AttemptTimes])[] = [
  ['ready', 'readyAt', 'queuedAt'],
  ['queued', 'queuedAt', 'preparedFrom'],
  ['preparing', 'preparedFrom', 'startedAt'],
  ['running', 'startedAt', 'endedAt'],
  ['storing', 'endedAt', 'storedAt'],
  ['recording', 'storedAt', 'finishedAt'],
];

/** Makes the counters of one server. `close` ends the watch over the event loop, which is the system's. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const webhook = new Counter({
    name: 'ame_webhook_requests_total',
    help: 'Requests at the door for webhooks, by how they were answered.',
    labelNames: ['answer'],
    registers,
  });
  const deliveries = new Counter({
    name: 'ame_deliveries_decided_total',
    help: 'Deliveries that this server decided, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const decision = new Histogram({
    name: 'ame_delivery_decision_seconds',
    help: 'Time from the receipt of a delivery to its decision.',
    buckets: shortSeconds,
    registers,
  });
  const steps = new Counter({
    name: 'ame_loop_steps_total',
    help: 'Steps of the loops, by how they ended.',
    labelNames: ['loop', 'outcome'],
    registers,
  });
  const stepSeconds = new Histogram({
    name: 'ame_loop_step_seconds',
    help: 'Time that one step of a loop takes.',
    labelNames: ['loop'],
    buckets: shortSeconds,
    registers,
  });
  const attempts = new Counter({
    name: 'ame_attempts_finished_total',
    help: 'Attempts whose end this server recorded, by class of ending.',
    labelNames: ['class'],
    registers,
  });
  const phaseSeconds = new Histogram({
    name: 'ame_attempt_phase_seconds',
    help: 'Time that an attempt spent in each phase.',
    labelNames: ['phase'],
    buckets: longSeconds,
    registers,
  });
  const runs = new Counter({
    name: 'ame_runs_finished_total',
    help: 'Runs whose end this server recorded, by final state.',
    labelNames: ['state'],
    registers,
  });
  const github = new Counter({
    name: 'ame_github_requests_total',
    help: 'Requests sent to GitHub, by kind and by how they were answered.',
    labelNames: ['kind', 'answer'],
    registers,
  });
  const show = createGauges(registry);
  const stopWatching = watchProcess(registry);
  return {
    webhookAnswered: (status) => webhook.inc({ answer: webhookAnswers.get(status) ?? 'failed' }),
    deliveryDecided: (outcome, seconds) => {
      deliveries.inc({ outcome });
      decision.observe(Math.max(0, seconds));
    },
    stepEnded: (loop, outcome, seconds) => {
      steps.inc({ loop, outcome });
      stepSeconds.observe({ loop }, seconds);
    },
    attemptFinished: (attempt) => {
      attempts.inc({ class: attempt.class ?? 'unknown' });
      for (const [phase, from, to] of phases) {
        const [begin, end] = [attempt[from], attempt[to]];
        // Times of a machine whose clock stands elsewhere may lie the wrong way round.
        if (begin !== null && end !== null)
          phaseSeconds.observe({ phase }, Math.max(0, end.getTime() - begin.getTime()) / 1_000);
      }
    },
    runFinished: (state) => runs.inc({ state }),
    githubAsked: ({ route, status, cached }) => {
      const kind = route.endsWith('/access_tokens') ? 'token' : 'api';
      github.inc({ kind, answer: githubAnswer(status, cached) });
    },
    read: (seen) => {
      show(seen);
      return registry.metrics();
    },
    contentType: registry.contentType,
    close: stopWatching,
  };
}

function githubAnswer(status: number, cached: boolean): string {
  if (cached) return 'not_modified';
  if (status === 0) return 'none';
  if (status < 400) return 'ok';
  if (status === 403 || status === 429) return 'forbidden';
  return status < 500 ? 'refused' : 'failed';
}
