import { noticesOf } from '../../core/outcome/notices.ts';
import type { AskedResources } from '../../core/resources.ts';
import type { Attempt } from '../../db/attempts.ts';
import type { StoredArtifact } from '../../db/blobs.ts';
import type { CheckRow } from '../../db/checks.ts';
import type { Decision, Delivery } from '../../db/deliveries.ts';
import type { PlacedRun } from '../../db/runs.ts';
import { parkedAfter } from '../../db/schema/columns.ts';
import type { Transition } from '../../db/transitions.ts';
import type { AttemptShape, ResourcesShape, RunShape } from './shapes.ts';

/** Rows as the API shows them. */

function iso(date: Date): string;
function iso(date: Date | null): string | null;
function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

/** As people name a run. */
export function runName(run: Pick<PlacedRun, 'project' | 'number'>): string {
  return `${run.project.name}#${run.number}`;
}

export function presentRun(run: PlacedRun, address: string): RunShape {
  return {
    id: run.id,
    number: run.number,
    project: run.project.name,
    projectId: run.project.id,
    repository: `${run.repository.owner}/${run.repository.name}`,
    repositoryId: run.repository.id,
    host: run.repository.host,
    installationId: run.repository.installationId,
    requestedBy: run.requestedBy,
    task: run.task,
    commit: run.commit,
    ref: run.ref,
    trigger: run.trigger,
    state: run.state,
    class: run.class,
    reason: run.reason,
    retryOf: run.retryOf,
    cancelRequestedAt: iso(run.cancelRequestedAt),
    createdAt: iso(run.createdAt),
    startedAt: iso(run.startedAt),
    finishedAt: iso(run.finishedAt),
    planDigest: run.planDigest,
    url: `${address}/runs/${run.id}`,
  };
}

export function presentAttempt(attempt: Attempt): AttemptShape {
  const { id, task, number, state, reason, exitCode, signal, host, reusedFrom } = attempt;
  const { peakMemoryBytes, cpuSeconds, pendingWhy, resources } = attempt;
  return {
    id,
    task,
    number,
    state,
    class: attempt.class,
    reason,
    exitCode,
    signal,
    host,
    peakMemoryBytes,
    cpuSeconds,
    pendingWhy,
    resources: resources === null ? null : presentResources(resources),
    reusedFrom,
    createdAt: iso(attempt.createdAt),
    queuedAt: iso(attempt.queuedAt),
    startedAt: iso(attempt.startedAt),
    finishedAt: iso(attempt.finishedAt),
    phases: {
      waiting: seconds(attempt.readyAt, attempt.preparedFrom),
      preparing: seconds(attempt.preparedFrom, attempt.startedAt),
      running: seconds(attempt.startedAt, attempt.endedAt),
      storing: seconds(attempt.endedAt, attempt.storedAt),
    },
    lastWords: [...(attempt.lastWords?.said ?? [])],
    notices: [...noticesOf(attempt)],
  };
}

function presentResources({ cpu, memory, storageBytes, gpus, vramMib }: AskedResources): ResourcesShape {
  return {
    cpuMillis: cpu.millis,
    memoryBytes: memory.bytes,
    memoryCeilingBytes: memory.ceilingBytes,
    memoryFrom: memory.over !== undefined ? 'raised' : memory.learned === true ? 'learned' : 'asked',
    storageBytes,
    gpus,
    vramMib,
  };
}

function seconds(from: Date | null, to: Date | null): number | null {
  return from === null || to === null ? null : Math.max(0, to.getTime() - from.getTime()) / 1_000;
}

export function presentTransition({ attemptId, from, to, cause, at }: Transition) {
  return { attempt: attemptId, from, to, cause, at: iso(at) };
}

export function presentCheck({ says, runId, said }: CheckRow) {
  const { name, status, conclusion, title, summary, text, url } = says;
  return {
    name,
    status,
    conclusion,
    title,
    summary,
    text,
    url,
    runId,
    lines: [...says.lines],
    annotations: [...says.annotations],
    told: JSON.stringify(said) === JSON.stringify(says),
  };
}

export function presentArtifact(artifact: StoredArtifact, task: string, address: string) {
  const { id, attemptId, path, digest, size, mode } = artifact;
  return { id, attemptId, task, path, digest, size, mode, url: `${address}/api/v1/artifacts/${id}/content` };
}

export function presentDecision(decision: Decision) {
  const { commit, trigger, task, outcome, rule, line, message, remedy, runId } = decision;
  return {
    delivery: decision.deliveryId,
    commit,
    trigger,
    task,
    outcome,
    rule,
    line,
    message,
    remedy,
    runId,
    decidedAt: iso(decision.decidedAt),
  };
}

export function presentDelivery(delivery: Omit<Delivery, 'body'>) {
  const { id, host, event, action, installationId, pullRequest } = delivery;
  const { repositoryId, ref, before, after, outcome } = delivery;
  const { failures, postponed, lastError } = delivery;
  return {
    id,
    host,
    event,
    action,
    installationId,
    pullRequest,
    repositoryId,
    ref,
    before,
    after,
    outcome,
    failures,
    postponed,
    lastError,
    nextTryAt: failures < parkedAfter ? iso(delivery.dueAt) : null,
    receivedAt: iso(delivery.receivedAt),
    decidedAt: iso(delivery.decidedAt),
  };
}
